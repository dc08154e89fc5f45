/**
 * The one file of a backup: a list of files, their bytes, and a hash over all of it.
 *
 *     "LSBACKUP" | u32 version (1) | u32 length of the list
 *     list: CBOR [[path, length], …], sorted by path
 *     the bytes of each file, one after the other
 *     SHA-256 over everything before
 *
 * Only paths that belong to a home are known; anything else is refused before anything is
 * written. Rules BK1-BK4 of docs/spec/backup.md.
 *
 * @module
 */
import {
  type CborValue,
  decodeCbor,
  encodeCbor,
  isLongshoreError,
  parseName,
  VerificationError,
} from '@longshore/capsule'

/** In a home from which something was removed: programs that do not know that know no such path. */
export const MARK_PATH = 'store/watermark2'

const BACKUP_MAGIC: Uint8Array = new TextEncoder().encode('LSBACKUP')
export const BACKUP_PREFIX_BYTES = 16
export const BACKUP_TRAILER_BYTES = 32
const VERSION = 1
/** Half a million files; a home has one per key and a few hundred for its journal. */
const LIST_BYTES_MAX = 67_108_864
const LIST_DEPTH = 2

export interface BackedUpFile {
  /** Below the home, with `/`. */
  readonly path: string
  readonly byteLength: number
}

/** Prefix and list. `files` are sorted by path. */
export function encodeBackupList(files: readonly BackedUpFile[]): Uint8Array {
  const list = encodeCbor(
    files.map(({ path, byteLength }): CborValue => [path, byteLength]),
    LIST_DEPTH,
  )
  const bytes = new Uint8Array(BACKUP_PREFIX_BYTES + list.byteLength)
  bytes.set(BACKUP_MAGIC)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, VERSION)
  view.setUint32(12, list.byteLength)
  bytes.set(list, BACKUP_PREFIX_BYTES)
  return bytes
}

/** Length of the list that follows this prefix. */
export function decodeBackupPrefix(prefix: Uint8Array): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  const isBackup = BACKUP_MAGIC.every((byte, i) => prefix[i] === byte)
  if (!isBackup || view.getUint32(8) !== VERSION) {
    throw invalidBackup('this is not a backup of a home, or one of another version')
  }
  const listBytes = view.getUint32(12)
  if (listBytes > LIST_BYTES_MAX) throw invalidBackup('the list of files is too long')
  return listBytes
}

/** @throws {VerificationError} `BACKUP_INVALID` for anything but a list that we would write. */
export function decodeBackupList(bytes: Uint8Array): BackedUpFile[] {
  let value: CborValue
  try {
    value = decodeCbor(bytes, LIST_DEPTH)
  } catch (cause) {
    throw invalidBackup('the list of files is damaged', cause)
  }
  if (!Array.isArray(value)) throw invalidBackup('the list of files is no list')
  const files = (value as CborValue[]).map(decodeFile)
  for (const [i, { path }] of files.entries()) {
    if (i > 0 && files[i - 1]!.path >= path) throw invalidBackup('the list is not sorted')
  }
  return files
}

function decodeFile(item: CborValue): BackedUpFile {
  const [path, byteLength] = Array.isArray(item) ? (item as CborValue[]) : []
  if (typeof path !== 'string' || typeof byteLength !== 'number') {
    throw invalidBackup('an item of the list is no file')
  }
  if (!isHomePath(path)) throw invalidBackup(`${path} does not belong in a home`)
  return { path, byteLength }
}

/** True for the files that a home is made of. */
export function isHomePath(path: string): boolean {
  if (path === 'config.json' || path === MARK_PATH) return true
  if (/^store\/segments\/[0-9]{8,10}\.[0-9]{1,10}\.seg$/.test(path)) return true
  const [, name] = /^keys\/([a-z2-7]+)\.key$/.exec(path) ?? []
  if (name === undefined) return false
  try {
    parseName(name)
    return true
  } catch (error) {
    if (isLongshoreError(error)) return false
    throw error
  }
}

export function invalidBackup(what: string, cause?: unknown): VerificationError {
  return new VerificationError('BACKUP_INVALID', what, undefined, { cause })
}
