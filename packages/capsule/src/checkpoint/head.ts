/**
 * The head of a branch: what its writer has signed.
 *
 *     85 40 00 03 58 20 … 58 40 …       compact head: [branch, epoch, size, root, signature]
 *     86 … 58 40 … 59 09 74 …           where the writer has an ML-DSA-44 key: its signature too
 *
 * The signature is over the checkpoint text of (origin, size, root), so the same 64 bytes stand in
 * the checkpoint of C2SP and in the compact head on disk and on the wire. The epoch is not signed:
 * it says which writer key to use (0: the one in the manifest). The ML-DSA-44 signature is a C2SP
 * cosignature with time 0. Rules CP12, CP13 and CP20 of docs/spec/checkpoint.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { CapsuleName, MlDsa44Signature, Signature } from '../bytes/brands.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readBytes, readTuple } from '../cbor/read-value.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { type RoleKey, verifyPostQuantumHalf } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { type HeadPointer, headPointerValue, readHeadPointerFields } from '../entry/pointer.ts'
import { VerificationError } from '../errors.ts'
import { COMPACT_HEAD_BYTES_MAX, ML_DSA_44_SIGNATURE_BYTES, SIGNATURE_BYTES } from '../limits.ts'
import { formatOrigin } from '../name/name.ts'
import { isSize } from '../tree/tree-shape.ts'
import { formatCheckpointText } from './checkpoint-text.ts'
import { subtreeMessage } from './cosignature.ts'

/** A signed statement: in this epoch, the branch has `size` entries (at least 1) and this root. */
export interface Head extends HeadPointer {
  readonly signature: Signature
  /** The second one, exactly if the writer has an ML-DSA-44 key. */
  readonly mlDsa44?: MlDsa44Signature
}

/** The time in a writer's ML-DSA-44 signature of a head, which says nothing about time (C2SP). */
export const HEAD_TIME_S = 0

/** What is to be signed, and for which capsule. */
export interface UnsignedHead extends HeadPointer {
  readonly name: CapsuleName
}

/** Text of the checkpoint that a head stands for. */
export function headText(name: CapsuleName, head: HeadPointer): string {
  return formatCheckpointText(formatOrigin(name, head.branch), head.size, head.root)
}

/** What a writer's ML-DSA-44 key signs about its own tree, at a time or (`HEAD_TIME_S`) without. */
export function headSubtreeMessage(
  name: CapsuleName,
  { branch, size, root }: HeadPointer,
  timeS: number,
): Uint8Array {
  const origin = formatOrigin(name, branch)
  return subtreeMessage(origin, { origin, size, root }, timeS)
}

/**
 * Signs a head. Whoever calls this keeps it from leaving the process before the entries are synced
 * (F14), and never signs two heads that are inconsistent.
 */
export function signHead(head: UnsignedHead, signer: Signer): Head {
  const { name, branch, epoch, size, root } = head
  assert(isSize(size) && size > 0, 'a writer never signs an empty tree')
  const signature = signer.sign(encodeUtf8(headText(name, head)))
  if (signer.mlDsa44 === undefined) return { branch, epoch, size, root, signature }
  const mlDsa44 = signer.mlDsa44.sign(headSubtreeMessage(name, head, HEAD_TIME_S))
  return { branch, epoch, size, root, signature, mlDsa44 }
}

/**
 * Returns if the holder of `writerKey` signed this head for this capsule, with every key of it;
 * throws otherwise.
 *
 * Nobody signs the epoch in a head. It is therefore held against `epoch`, that of the key: else
 * anybody could relabel a head, and make every true one look older.
 *
 * @param epoch Default 0: the key is the one in the manifest.
 * @throws {VerificationError} `BAD_SIGNATURE`; `SIGNATURE_MISSING` if one of two was left out;
 * `CHECKPOINT_INVALID` for another epoch or an empty tree.
 */
export function verifyHead(
  name: CapsuleName,
  head: Head,
  writerKey: RoleKey,
  epoch: number = 0,
): void {
  if (head.epoch !== epoch) fail('the head is of another epoch than the key')
  if (head.size === 0) fail('a writer never signs an empty tree')
  verifySignature(writerKey.ed25519, encodeUtf8(headText(name, head)), head.signature)
  const message = (): Uint8Array => headSubtreeMessage(name, head, HEAD_TIME_S)
  verifyPostQuantumHalf(writerKey, message, head.mlDsa44)
}

/** The compact head as bytes. */
export function encodeHead(head: Head): Uint8Array {
  return encodeCbor(headValue(head))
}

/**
 * Reads a compact head. Its signatures are not verified.
 *
 * @throws {VerificationError} `CHECKPOINT_INVALID` for anything but the one spelling of a head.
 */
export function decodeHead(bytes: Uint8Array): Head {
  if (bytes.length > COMPACT_HEAD_BYTES_MAX) fail('a compact head is shorter')
  let value: CborValue
  try {
    value = decodeCbor(bytes, 1)
  } catch (cause) {
    const message = 'the compact head is not canonical CBOR'
    throw new VerificationError('CHECKPOINT_INVALID', message, undefined, { cause })
  }
  return readHead(value, 'the head', fail)
}

/** A compact head inside another format. */
export function headValue(head: Head): CborValue {
  const fields = [...(headPointerValue(head) as readonly CborValue[]), head.signature]
  return head.mlDsa44 === undefined ? fields : [...fields, head.mlDsa44]
}

export function readHead(value: CborValue | undefined, what: string, failWith: Fail): Head {
  const count = Array.isArray(value) && value.length === 6 ? 6 : 5
  const [branch, epoch, size, root, signature, second] = readTuple(value, count, what, failWith)
  const pointer = readHeadPointerFields({ branch, epoch, size, root }, what, failWith)
  if (pointer.size === 0) failWith(`${what} must have at least one entry`)
  const bytes = readBytes(signature, SIGNATURE_BYTES, `the signature of ${what}`, failWith)
  const head: Head = { ...pointer, signature: bytes as Signature }
  if (count === 5) return head
  const label = `the ML-DSA-44 signature of ${what}`
  const mlDsa44 = readBytes(second, ML_DSA_44_SIGNATURE_BYTES, label, failWith)
  return { ...head, mlDsa44: mlDsa44 as MlDsa44Signature }
}

const fail: Fail = (what) => {
  throw new VerificationError('CHECKPOINT_INVALID', what)
}
