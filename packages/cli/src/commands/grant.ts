/**
 * `longshore grant NAME --to PRINCIPAL`: lets a node hold and serve a capsule.
 *
 * @module
 */
import {
  type AdRight,
  encodeCertChain,
  formatBase64,
  formatName,
  parseName,
  UsageError,
} from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { parsePrincipal } from '../input/principal.ts'
import { formatTime, parseUntil } from '../text/time.ts'

const RIGHTS: readonly AdRight[] = ['advertise', 'serve']

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const [name, node] = [parseName(args.positional(0)), parsePrincipal(args.text('to') ?? '')]
  const rights = parseRights(args.text('rights'))
  const until = args.text('until')
  const untilUs = until === undefined ? undefined : parseUntil(until, Date.now() * 1000)
  await using home = await openHome({ path: homePath, create: false })
  const granted = await home.network.grant(name, node, {
    rights,
    ...(untilUs === undefined ? {} : { notAfterS: Math.floor(untilUs / 1_000_000) }),
  })
  const chain = formatBase64(encodeCertChain(granted.chain))
  const object = {
    name: formatName(name),
    principal: formatName(node),
    rights,
    until: formatTime(granted.notAfterS * 1_000_000),
    chain,
  }
  out.result(object, chain)
}

function parseRights(text: string | undefined): readonly AdRight[] {
  if (text === undefined) return RIGHTS
  const rights = text.split(',').map((word) => {
    const found = RIGHTS.find((right) => right === word)
    if (found !== undefined) return found
    const message = `${JSON.stringify(word)} is no right; there are ${RIGHTS.join(', ')}`
    throw new UsageError('USAGE', message, { right: word })
  })
  return [...new Set(rights)].sort()
}
