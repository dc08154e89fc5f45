/**
 * `longshore node drop NAME`: has a mirror stop serving a capsule, or take it on again.
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
  const undo = args.flag('undo')
  const answer = await askNode(data, 'POST /drop', { name, undo })
  const done = undo ? 'taken on again' : 'dropped: no longer served or advertised'
  out.result(answer, `${name} ${done}`)
}
