/**
 * `longshore domain new`: makes a trust domain.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { identityObject } from './identity-output.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const label = args.text('label')
  await using home = await openHome({ path: homePath })
  const domain = await home.createIdentity({ type: 'domain', label })
  out.result(identityObject(domain), domain.text)
}
