/**
 * `longshore domain admit DOMAIN PRINCIPAL`: prints the membership of a node.
 *
 * @module
 */
import { type MemberRight, parseName, UsageError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { parsePrincipal } from '../input/principal.ts'
import { formatTime, parseUntil } from '../text/time.ts'
import { splitWords } from './node-run.ts'

const RIGHTS: readonly MemberRight[] = ['lookup', 'mirror', 'read', 'route']
/** What nodes need for their work; who reads is another question. */
const DEFAULT_RIGHTS: readonly MemberRight[] = ['lookup', 'mirror', 'route']

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const [domain, subject] = [parseName(args.positional(0)), parsePrincipal(args.positional(1))]
  const rights = parseRights(args.text('rights'))
  const untilUs = parseUntil(args.text('until') ?? '365d', Date.now() * 1000)
  const notAfterS = Math.floor(untilUs / 1_000_000)
  await using home = await openHome({ path: homePath, readOnly: true })
  const membership = await home.admit({ domain, subject, rights, notAfterS })
  const object = {
    domain: args.positional(0),
    principal: args.positional(1),
    rights,
    until: formatTime(notAfterS * 1_000_000),
    membership,
  }
  out.result(object, membership)
}

function parseRights(text: string | undefined): readonly MemberRight[] {
  if (text === undefined) return DEFAULT_RIGHTS
  const rights = splitWords(text, '--rights').map((word) => {
    const found = RIGHTS.find((right) => right === word)
    if (found !== undefined) return found
    const message = `${JSON.stringify(word)} is no right; there are ${RIGHTS.join(', ')}`
    throw new UsageError('USAGE', message, { right: word })
  })
  return [...new Set(rights)].sort()
}
