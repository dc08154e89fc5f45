/**
 * `longshore id new`: makes an identity.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { identityObject } from './identity-output.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const label = args.text('label')
  await using home = await openHome({ path: homePath })
  const identity = await home.createIdentity({ label, postQuantum: args.flag('post-quantum') })
  out.result(identityObject(identity), identity.text)
}
