/**
 * `longshore id show [NAME]`: one identity, by default the one that new capsules get.
 *
 * @module
 */
import { formatName, parseName, UnavailableError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { identityObject, identityText } from './identity-output.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const [given] = args.positionals
  const name = given === undefined ? undefined : formatName(parseName(given))
  await using home = await openHome({ path: homePath })
  const identities = await home.identities()
  const found = identities.find(({ text, isDefault }) =>
    name === undefined ? isDefault : text === name,
  )
  if (found === undefined) {
    const message = `this home has no identity ${name ?? 'yet'}`
    throw new UnavailableError('NOT_FOUND', message, name === undefined ? {} : { name })
  }
  out.result(identityObject(found), () => identityText(found))
}
