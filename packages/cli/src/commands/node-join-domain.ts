/**
 * `longshore node join-domain MEMBERSHIP`: gives a running node its membership.
 *
 * @module
 */
import { resolve } from 'node:path'
import { askNode } from '@longshore/node'
import type { Context } from '../context.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out }: Context): Promise<undefined> {
  const data = resolve(args.text('data') ?? '')
  const membership = args.positional(0)
  const answer = await askNode(data, 'POST /membership', { membership })
  const { domain } = answer as { domain: { name: string; notAfterS: number } }
  const until = formatTime(domain.notAfterS * 1_000_000)
  out.result({ domain: domain.name, until }, `in ${domain.name} until ${until}`)
}
