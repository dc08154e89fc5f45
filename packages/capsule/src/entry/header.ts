/**
 * The header of an entry: the Merkle leaf, and all of it that is signed.
 *
 *     84 00 1b 00 06 3d … 18 64 58 20 …      [kind, timeUs, payloadBytes, payloadHash]
 *     85 …  81 84 f6 40 05 58 20 …            and pointers (1 or more)
 *     86 …  80 a1 …                           and pointers (0 or more) and an extension
 *
 * One header has one spelling. Almost every header is the first form, which has a codec of its
 * own in `hot-header.ts`: it gives the same bytes and the same verdict. Rules EN1 to EN7 of
 * docs/spec/entry.md.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readArray, readBytes, readInteger, readMap } from '../cbor/read-value.ts'
import { UsageError, VerificationError } from '../errors.ts'
import {
  EXTENSION_DEPTH_MAX,
  HASH_BYTES,
  HEADER_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  POINTERS_MAX,
} from '../limits.ts'
import { CONTROL_TYPES, type Control, controlValue, readControl } from './control.ts'
import {
  type Header,
  type HeaderExtension,
  type HeaderKind,
  KIND_ENCRYPTED,
  KIND_PLAIN,
  NO_EXTENSION,
  NO_POINTERS,
} from './header-form.ts'
import { decodeHotHeader, isHotHeader } from './hot-header.ts'
import { EMPTY_HASH, type Pointer, pointerValue, readPointer } from './pointer.ts'

/** The header array, its extension map, and the values in that. */
const DEPTH_MAX: number = 2 + EXTENSION_DEPTH_MAX

/**
 * The bytes of a header.
 *
 * @throws {UsageError} `USAGE` for a header that `decodeHeader` would refuse.
 */
export function encodeHeader(header: Header): Uint8Array {
  const { kind, timeUs, payloadBytes, payloadHash, pointers, ext } = header
  const fields: CborValue[] = [kind, timeUs, payloadBytes, payloadHash]
  const extension = extensionValue(ext)
  if (pointers.length > 0 || extension.size > 0) fields.push(pointers.map(pointerValue))
  if (extension.size > 0) fields.push(extension)
  const bytes = encodeCbor(fields, DEPTH_MAX)
  try {
    decodeGeneralHeader(bytes)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new UsageError('USAGE', `no such header: ${cause.message}`, undefined, { cause })
  }
  return bytes
}

/**
 * The header in `bytes`.
 *
 * Whether it may stand where it stands is another question: `checkHeaderPosition`.
 *
 * @throws {VerificationError} `HEADER_INVALID` for anything but the one spelling of a header.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  return isHotHeader(bytes) ? decodeHotHeader(bytes) : decodeGeneralHeader(bytes)
}

/** `decodeHeader` for every form; the tests hold the hot codec against it. */
export function decodeGeneralHeader(bytes: Uint8Array): Header {
  if (bytes.length > HEADER_BYTES_MAX) fail(`a header has at most ${HEADER_BYTES_MAX} bytes`)
  let value: CborValue
  try {
    value = decodeCbor(bytes, DEPTH_MAX)
  } catch (cause) {
    throw new VerificationError('HEADER_INVALID', 'the header is not canonical CBOR', undefined, {
      cause,
    })
  }
  const fields = readArray(value, 6, 'a header', fail)
  if (fields.length < 4) fail('a header must have 4 to 6 fields')
  const header = {
    kind: readInteger(fields[0], 'the kind', fail, KIND_ENCRYPTED) as HeaderKind,
    timeUs: readInteger(fields[1], 'the time', fail),
    payloadBytes: readInteger(fields[2], 'the payload size', fail, PAYLOAD_BYTES_MAX),
    payloadHash: readBytes(fields[3], HASH_BYTES, 'the payload hash', fail) as Hash,
    pointers: fields.length > 4 ? readPointers(fields[4]) : NO_POINTERS,
    ext: fields.length > 5 ? readExtension(fields[5]) : NO_EXTENSION,
  }
  if (fields.length === 5 && header.pointers.length === 0) fail('pointers must not be empty')
  if (header.ext.control !== null) checkNoPayload(header)
  return header
}

function readPointers(value: CborValue | undefined): readonly Pointer[] {
  const items = readArray(value, POINTERS_MAX, 'the pointers', fail)
  return items.map((item) => readPointer(item, 'a pointer', fail))
}

function readExtension(value: CborValue | undefined): HeaderExtension {
  const map = readMap(value, 'the extension', fail)
  if (map.size === 0) fail('the extension must not be empty')
  const app = new Map<string, CborValue>()
  let control: Control | null = null
  for (const [key, item] of map) {
    if (key.includes('/')) {
      app.set(key, item)
      continue
    }
    const type = CONTROL_TYPES.find((known) => known === key)
    if (type === undefined) fail('the extension has a key that is not known')
    if (control !== null) fail('a header must have at most one control key')
    control = readControl(type, item, fail)
  }
  return { control, app }
}

function checkNoPayload(header: Header): void {
  const { kind, payloadBytes, payloadHash } = header
  if (kind !== KIND_PLAIN || payloadBytes !== 0 || !bytesEqual(payloadHash, EMPTY_HASH)) {
    fail('an entry with a control key must not carry a payload')
  }
}

function extensionValue(ext: HeaderExtension): Map<string, CborValue> {
  const value = new Map<string, CborValue>(ext.app)
  for (const key of value.keys()) {
    // Without this, an application could write a control entry, and one that may not stand there.
    if (!key.includes('/')) throw new UsageError('USAGE', 'an application key has a "/" in it')
  }
  if (ext.control !== null) value.set(ext.control.type, controlValue(ext.control))
  return value
}

const fail: Fail = (what) => {
  throw new VerificationError('HEADER_INVALID', what)
}
