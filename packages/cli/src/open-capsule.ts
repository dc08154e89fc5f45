/**
 * Opens the capsule that the person named, or says which one they probably meant.
 *
 * @module
 */
import {
  formatName,
  isLongshoreError,
  type LongshoreError,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
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
    throw isUnknown ? await withNearest(home, name, error) : error
  }
}

/** With the capsule that was probably meant, if there is one like it. */
async function withNearest(home: Home, name: string, error: LongshoreError): Promise<Error> {
  const nearest = nearestWord(name, await capsuleNames(home))
  if (nearest === undefined) return error
  const message = `${error.message}; did you mean ${nearest}?`
  const details = { ...error.details, nearest }
  return error.code === 'NOT_FOUND'
    ? new UnavailableError('NOT_FOUND', message, details, { cause: error })
    : new UsageError('NAME_INVALID', message, details, { cause: error })
}

/** Those that `list` shows. */
async function capsuleNames(home: Home): Promise<string[]> {
  const infos = await home.list()
  return infos
    .filter(({ type, authority }) => type === 'capsule' && authority !== null)
    .map(({ text }) => text)
}

/**
 * A capsule that has to be in this home: nobody else is asked for it.
 *
 * @throws {UsageError} `NAME_INVALID`, `USAGE` if it is the name of a node
 * @throws {UnavailableError} `NOT_FOUND`
 */
export async function openOwnCapsule(home: Home, name: string): Promise<Capsule> {
  const isNode = home.network.tickets().some((ticket) => formatName(ticket.name) === name)
  if (isNode) {
    const details = { name, type: 'node' }
    throw new UsageError('USAGE', 'this is the name of a node, not of a capsule', details)
  }
  try {
    if (await home.has(name)) return await home.open(name)
  } catch (error) {
    if (!isLongshoreError(error) || error.code !== 'NAME_INVALID') throw error
    throw await withNearest(home, name, error)
  }
  const message = 'this home does not know the capsule'
  throw await withNearest(home, name, new UnavailableError('NOT_FOUND', message, { name }))
}
