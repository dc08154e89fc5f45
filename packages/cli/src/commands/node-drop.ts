/**
 * `longshore node drop NAME`: has a mirror stop serving a capsule, perhaps free its disk, or take
 * it on again.
 *
 * @module
 */
import { resolve } from 'node:path'
import { formatName, parseName } from '@longshore/capsule'
import { askNode } from '@longshore/node'
import type { Context } from '../context.ts'

export async function run({ args, out }: Context): Promise<undefined> {
  const data = resolve(args.text('data') ?? '')
  const name = formatName(parseName(args.positional(0)))
  const [undo, free] = [args.flag('undo'), args.flag('free')]
  const answer = await askNode(data, 'POST /drop', { name, undo, free })
  const dropped = free
    ? 'dropped; its space is being given back'
    : 'dropped: no longer served or advertised'
  const done = undo ? 'taken on again' : dropped
  out.result(answer, `${name} ${done}`)
}
