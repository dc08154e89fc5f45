/**
 * `longshore id list`: the identities of this home; the first use of a home makes one.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { identityLine, identityObject } from './identity-output.ts'

export async function run({ out, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath })
  for (const identity of await home.identities()) {
    out.result(identityObject(identity), () => (out.quiet ? identity.text : identityLine(identity)))
  }
}
