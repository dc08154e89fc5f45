/**
 * The identities of a home, which makes one when it first needs one.
 *
 * @module
 */
import { type CapsuleInfo, type IdentityInfo, openHome } from '@longshore/client/node'

export interface Identities {
  readonly identities: readonly IdentityInfo[]
  /** Each may be one, too. */
  readonly damaged: readonly CapsuleInfo[]
}

export async function openIdentities(homePath: string): Promise<Identities> {
  await using home = await openHome({ path: homePath })
  const identities = await home.identities()
  const damaged = (await home.list()).filter(({ problem }) => problem !== undefined)
  const isFirstUse = identities.length === 0 && damaged.length === 0
  return { identities: isFirstUse ? [await home.createIdentity()] : identities, damaged }
}
