/**
 * The entries that `read` and `follow` are asked for.
 *
 * @module
 */
import type { Capsule, ReadOptions } from '@longshore/client/node'
import type { Arguments } from '../parse-arguments.ts'
import { parseSince } from '../text/time.ts'

export function entryRange(args: Arguments, capsule: Capsule): ReadOptions {
  const from = args.integer('from')
  const to = args.integer('to')
  const last = args.integer('last')
  const since = args.text('since')
  if (last !== undefined) {
    const end = Math.min(to ?? capsule.size, capsule.size)
    return { from: Math.max(0, end - last), ...(to === undefined ? {} : { to }) }
  }
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(since === undefined ? {} : { sinceUs: parseSince(since, Date.now() * 1000) }),
  }
}
