/**
 * An append on its way to the holder: payloads travel as one byte string, each after its length,
 * because thousands of small CBOR items would cost more than the append itself.
 *
 *     {"branch": h'', "level": "stored", "name": h'…', "payloads": h'00000004 6f70656e …'}
 *
 * @module
 */
import {
  asBranchId,
  asCapsuleName,
  asHash,
  type CapsuleName,
  type CborMap,
  type CborValue,
  type Pointer,
} from '@longshore/capsule'
import { type AppendTerms, checkPayload } from '../append-request.ts'
import type { BranchAddress } from '../home-writer.ts'
import { type Fields, invalid } from './fields.ts'
import { FRAME_BYTES_MAX } from './frame.ts'

const LENGTH_BYTES = 4
/** Room for everything beside the payloads: pointers and application data fit in a header. */
const ENVELOPE_BYTES_MAX = 65_536

/** What one append message may carry. */
export const MESSAGE_PAYLOADS_BYTES_MAX: number = FRAME_BYTES_MAX - ENVELOPE_BYTES_MAX

export interface AppendMessage {
  readonly at: BranchAddress
  readonly payloads: readonly Uint8Array[]
  readonly terms: AppendTerms
}

/** How many of `payloads`, from `start`, fit in one message; at least one. */
export function countFitting(payloads: readonly Uint8Array[], start: number): number {
  let bytes = 0
  let count = 0
  for (let i = start; i < payloads.length; i++) {
    bytes += LENGTH_BYTES + payloads[i]!.byteLength
    if (bytes > MESSAGE_PAYLOADS_BYTES_MAX && count > 0) break
    count++
  }
  return count
}

export function encodeAppend({ at, payloads, terms }: AppendMessage): CborMap {
  const map = new Map<string, CborValue>([
    ['branch', at.branch],
    ['level', terms.level],
    ['name', at.name],
    ['payloads', joinPayloads(payloads)],
  ])
  if (terms.timeUs !== undefined) map.set('timeUs', terms.timeUs)
  if (terms.kind !== undefined) map.set('kind', terms.kind)
  if (terms.pointers !== undefined) map.set('pointers', terms.pointers.map(encodePointer))
  if (terms.ext !== undefined) map.set('ext', terms.ext)
  return map
}

/** @throws {ProtocolError} `FRAME_INVALID` */
export function decodeAppend(fields: Fields): AppendMessage {
  const at = decodeAddress(fields)
  const level = fields.text('level')
  if (level !== 'stored' && level !== 'buffered') throw invalid('the level is not known')
  const message = {
    at,
    payloads: splitPayloads(fields.bytes('payloads')),
    terms: {
      level: level as AppendTerms['level'],
      copies: 0,
      timeUs: fields.has('timeUs') ? fields.uint('timeUs') : undefined,
      kind: fields.has('kind') ? decodeKind(fields.uint('kind')) : undefined,
      pointers: fields.has('pointers') ? fields.array('pointers').map(decodePointer) : undefined,
      ext: fields.has('ext') ? fields.map('ext') : undefined,
    },
  }
  fields.end()
  return message
}

export function encodeAddress({ name, branch }: BranchAddress): [string, CborValue][] {
  return [
    ['branch', branch],
    ['name', name],
  ]
}

/** @throws {ProtocolError} `FRAME_INVALID` */
export function decodeAddress(fields: Fields): BranchAddress {
  const branch = fields.bytes('branch')
  if (branch.byteLength !== 0 && branch.byteLength !== 16) throw invalid('no branch id')
  return { name: decodeName(fields, 'name'), branch: asBranchId(branch) }
}

export function decodeName(fields: Fields, key: string): CapsuleName {
  return asCapsuleName(fields.bytes(key, 32))
}

function joinPayloads(payloads: readonly Uint8Array[]): Uint8Array {
  const total = payloads.reduce((sum, payload) => sum + LENGTH_BYTES + payload.byteLength, 0)
  const joined = new Uint8Array(total)
  const view = new DataView(joined.buffer)
  let at = 0
  for (const payload of payloads) {
    view.setUint32(at, payload.byteLength)
    joined.set(payload, at + LENGTH_BYTES)
    at += LENGTH_BYTES + payload.byteLength
  }
  return joined
}

function splitPayloads(joined: Uint8Array): Uint8Array[] {
  const view = new DataView(joined.buffer, joined.byteOffset, joined.byteLength)
  const payloads: Uint8Array[] = []
  for (let at = 0; at < joined.byteLength; ) {
    if (at + LENGTH_BYTES > joined.byteLength) throw invalid('a payload without its length')
    const end = at + LENGTH_BYTES + view.getUint32(at)
    if (end > joined.byteLength) throw invalid('a payload is cut off')
    payloads.push(checkPayload(joined.subarray(at + LENGTH_BYTES, end)))
    at = end
  }
  if (payloads.length === 0) throw invalid('an append without payloads')
  return payloads
}

function decodeKind(kind: number): 0 | 1 {
  if (kind === 0 || kind === 1) return kind
  throw invalid('the kind is not known')
}

function encodePointer({ capsule, branch, index, leafHash }: Pointer): CborValue {
  return [capsule, branch, index, leafHash]
}

function decodePointer(value: CborValue): Pointer {
  const [capsule, branch, index, leafHash] = Array.isArray(value) ? (value as CborValue[]) : []
  if (capsule !== null && !isBytes(capsule, 32)) throw invalid('a pointer without a capsule')
  if (!isBytes(branch, 0) && !isBytes(branch, 16)) throw invalid('a pointer without a branch')
  if (typeof index !== 'number' || !isBytes(leafHash, 32)) throw invalid('no pointer')
  return {
    capsule: capsule === null ? null : asCapsuleName(capsule),
    branch: asBranchId(branch),
    index,
    leafHash: asHash(leafHash),
  }
}

function isBytes(value: CborValue | undefined, byteLength: number): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === byteLength
}
