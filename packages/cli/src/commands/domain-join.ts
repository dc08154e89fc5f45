/**
 * `longshore domain join MEMBERSHIP`: this home's identity may read for a trust domain.
 *
 * @module
 */
import { encodeCertChain, formatName, parseMembership, UsageError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const membership = parseMembership(args.positional(0))
  const { subject, notAfterS, chain } = membership
  await using home = await openHome({ path: homePath, create: false })
  const own = (await home.identities()).find(({ isDefault }) => isDefault)
  const principal = formatName(subject)
  if (own?.text !== principal) {
    const message = 'the membership is for somebody else than the identity of this home'
    throw new UsageError('USAGE', message, { principal })
  }
  await home.network.keepMembership(encodeCertChain(chain))
  const domain = formatName(membership.domain)
  const until = formatTime(notAfterS * 1_000_000)
  out.result({ domain, principal, until }, `reads for ${domain} until ${until}`)
}
