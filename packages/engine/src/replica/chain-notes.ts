/**
 * The certificate chain by which a mirror serves a capsule, kept in the notes of its home.
 *
 *     chain/<name hex>/0      u32 length of the chain, and its first bytes
 *     chain/<name hex>/1 …    the rest, 4096 bytes a note
 *
 * A mirror needs it again after a restart, to advertise what it holds. Rule MI14 of
 * docs/spec/mirror.md.
 *
 * @module
 */
import { type CapsuleName, concatBytes, formatHex, UnavailableError } from '@longshore/capsule'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { isDropped } from './dropped.ts'

const NOTE_BYTES_MAX = 4096
const LENGTH_BYTES = 4

export function createChainNotes(name: CapsuleName, chain: Uint8Array): StoreOp[] {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, chain.length)
  const bytes = concatBytes(length, chain)
  const ops: StoreOp[] = []
  for (let at = 0; at < bytes.length; at += NOTE_BYTES_MAX) {
    const key = noteKey(name, at / NOTE_BYTES_MAX)
    ops.push({ type: 'note', key, value: bytes.subarray(at, at + NOTE_BYTES_MAX) })
  }
  return ops
}

/** Undefined if this home has not taken the capsule on, or has dropped it. */
export function readChain(store: StoreReader, name: CapsuleName): Uint8Array | undefined {
  if (isDropped(store, name)) return undefined
  const first = store.note(noteKey(name, 0))
  if (first === undefined || first.length < LENGTH_BYTES) return undefined
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength)
  const byteLength = LENGTH_BYTES + view.getUint32(0)
  const parts = [first]
  for (let at = NOTE_BYTES_MAX; at < byteLength; at += NOTE_BYTES_MAX) {
    const part = store.note(noteKey(name, at / NOTE_BYTES_MAX))
    if (part !== undefined) parts.push(part)
  }
  const bytes = concatBytes(...parts)
  if (bytes.length < byteLength) {
    throw new UnavailableError('STORE_CORRUPT', 'a part of a certificate chain is missing')
  }
  return bytes.subarray(LENGTH_BYTES, byteLength)
}

function noteKey(name: CapsuleName, part: number): string {
  return `chain/${formatHex(name)}/${part}`
}
