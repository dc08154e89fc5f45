/**
 * `longshore id show [NAME]`: one identity, by default the one that new capsules get.
 *
 * @module
 */
import { formatName, parseName, UnavailableError } from '@longshore/capsule'
import type { Context } from '../context.ts'
import { reportDamaged } from '../damaged.ts'
import { openIdentities } from './identities.ts'
import { identityObject, identityText } from './identity-output.ts'

export async function run({ args, out, homePath }: Context): Promise<number | undefined> {
  const [given] = args.positionals
  const name = given === undefined ? undefined : formatName(parseName(given))
  const { identities, damaged } = await openIdentities(homePath)
  const found = identities.find(({ text, isDefault }) =>
    name === undefined ? isDefault : text === name,
  )
  if (found === undefined && damaged.length > 0) return reportDamaged(out, damaged)
  if (found === undefined) {
    const details = name === undefined ? {} : { name, type: 'person' }
    throw new UnavailableError('NOT_FOUND', 'this home has no such identity', details)
  }
  out.result(identityObject(found), () => identityText(found))
  return undefined
}
