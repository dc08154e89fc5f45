/**
 * `config.json` of a home: its version, its id, and the identity that new capsules get.
 *
 *     {"version":1,"id":"9f0c…","identity":"bafyrei…"}
 *
 * The id is random and stays with the home when it is copied or restored: that is how copies are
 * known (writer-lock.ts). Rule HM6 of docs/spec/home.md.
 *
 * @module
 */
import {
  type CapsuleName,
  formatHex,
  formatName,
  isLongshoreError,
  parseHex,
  parseName,
  UnavailableError,
} from '@longshore/capsule'
import { HOME_VERSION } from './home-layout.ts'
import { readRegularFile, writeFileDurably } from './node-disk.ts'

const CONFIG_BYTES_MAX = 65_536
export const HOME_ID_BYTES = 16

export interface HomeConfig {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** The person under whom `create` makes capsules unless told otherwise. */
  readonly identity: CapsuleName | undefined
}

/**
 * What the file says; undefined if there is none.
 *
 * @throws {UnavailableError} `HOME_UNREADABLE` if it is damaged or of another version.
 */
export function readConfig(path: string): HomeConfig | undefined {
  let text: string
  try {
    const bytes = readRegularFile(path, CONFIG_BYTES_MAX + 1)
    if (bytes.byteLength > CONFIG_BYTES_MAX) throw new Error('it is too long')
    text = Buffer.from(bytes).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(path, error)
  }
  try {
    return parseConfig(text)
  } catch (error) {
    throw unreadable(path, error)
  }
}

function parseConfig(text: string): HomeConfig {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error('it is no object')
  const { version, id, identity } = value as Record<string, unknown>
  if (version !== HOME_VERSION) throw new Error(`version ${String(version)} is not known`)
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) throw new Error('it has no id')
  if (identity !== undefined && typeof identity !== 'string') throw new Error('no identity')
  return {
    id: parseHex(id) as Uint8Array,
    identity: identity === undefined ? undefined : parseName(identity),
  }
}

export function writeConfig(path: string, { id, identity }: HomeConfig): void {
  const value = {
    version: HOME_VERSION,
    id: formatHex(id),
    identity: identity && formatName(identity),
  }
  writeFileDurably(path, `${JSON.stringify(value)}\n`, 0o600)
}

function unreadable(path: string, cause: unknown): UnavailableError {
  const reason = cause instanceof Error || isLongshoreError(cause) ? cause.message : String(cause)
  const message = `the home's config.json cannot be used: ${reason}`
  return new UnavailableError('HOME_UNREADABLE', message, { path }, { cause })
}
