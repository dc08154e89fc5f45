/**
 * Opens the capsule that the person named, or says which one they probably meant.
 *
 * @module
 */
import { isLongshoreError, UnavailableError, UsageError } from '@longshore/capsule'
import type { Capsule, Home, RemoteOptions } from '@longshore/client/node'
import { nearestWord } from './nearest.ts'

/**
 * @throws {UsageError} `NAME_INVALID`
 * @throws {UnavailableError} `NOT_FOUND`
 */
export async function openCapsule(
  home: Home,
  name: string,
  options: RemoteOptions = {},
): Promise<Capsule> {
  try {
    return await home.open(name, options)
  } catch (error) {
    const isUnknown =
      isLongshoreError(error) && (error.code === 'NAME_INVALID' || error.code === 'NOT_FOUND')
    if (!isUnknown) throw error
    const nearest = nearestWord(name, await capsuleNames(home))
    if (nearest === undefined) throw error
    const message = `${error.message}; did you mean ${nearest}?`
    const details = { ...error.details, nearest }
    if (error.code === 'NOT_FOUND') {
      throw new UnavailableError('NOT_FOUND', message, details, { cause: error })
    }
    throw new UsageError('NAME_INVALID', message, details, { cause: error })
  }
}

/** Those that `list` shows. */
async function capsuleNames(home: Home): Promise<string[]> {
  const infos = await home.list()
  return infos
    .filter(({ type, authority }) => type === 'capsule' && authority !== null)
    .map(({ text }) => text)
}
