/**
 * The identities of a home, which makes one when it first needs one.
 *
 * @module
 */
import { type IdentityInfo, openHome } from '@longshore/client/node'

export async function openIdentities(homePath: string): Promise<IdentityInfo[]> {
  await using home = await openHome({ path: homePath })
  const identities = await home.identities()
  return identities.length > 0 ? identities : [await home.createIdentity()]
}
