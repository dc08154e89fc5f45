/**
 * `longshore id list`: the identities of this home; the first use of a home makes one.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { openIdentities } from './identities.ts'
import { identityLine, identityObject } from './identity-output.ts'

export async function run({ out, homePath }: Context): Promise<undefined> {
  for (const identity of await openIdentities(homePath)) {
    out.result(identityObject(identity), () => (out.quiet ? identity.text : identityLine(identity)))
  }
}
