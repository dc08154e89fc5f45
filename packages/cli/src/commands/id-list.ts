/**
 * `longshore id list`: the identities of this home; the first use of a home makes one.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { reportDamaged } from '../damaged.ts'
import { openIdentities } from './identities.ts'
import { identityLine, identityObject } from './identity-output.ts'

export async function run({ out, homePath }: Context): Promise<number> {
  const { identities, damaged } = await openIdentities(homePath)
  for (const identity of identities) {
    out.result(identityObject(identity), () => (out.quiet ? identity.text : identityLine(identity)))
  }
  return reportDamaged(out, damaged)
}
