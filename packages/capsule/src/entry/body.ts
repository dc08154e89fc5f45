/**
 * The body of an entry: what is stored for its payload, and what the header's hash covers.
 *
 *     kind 0  payload
 *     kind 1  16 random bytes || payload        the salt is stored and erased with the payload
 *     kind 2  envelope of the encrypted payload
 *
 * Rules EN8 and EN9 of docs/spec/entry.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { bytesEqual, concatBytes } from '../bytes/bytes.ts'
import { sha256 } from '../crypto/sha256.ts'
import { UsageError, VerificationError } from '../errors.ts'
import { PAYLOAD_BYTES_MAX, SALT_BYTES } from '../limits.ts'
import { type Header, type HeaderKind, KIND_BLINDED } from './header-form.ts'

/** Length of the body for a payload of `payloadBytes`. */
export function bodyBytes(kind: HeaderKind, payloadBytes: number): number {
  return kind === KIND_BLINDED ? SALT_BYTES + payloadBytes : payloadBytes
}

/**
 * The body for a payload; `salt` (16 random bytes, never used twice) for kind 1 and only there.
 * Kind 0 and 2 return the payload itself, not a copy.
 *
 * @throws {UsageError} `PAYLOAD_TOO_LARGE` above 1 MiB.
 */
export function createBody(kind: HeaderKind, payload: Uint8Array, salt?: Uint8Array): Uint8Array {
  assert((kind === KIND_BLINDED) === (salt !== undefined), 'a salt belongs to kind 1')
  if (payload.length > PAYLOAD_BYTES_MAX) {
    throw new UsageError('PAYLOAD_TOO_LARGE', `a payload has at most ${PAYLOAD_BYTES_MAX} bytes`, {
      payloadBytes: payload.length,
    })
  }
  if (salt === undefined) return payload
  assert(salt.length === SALT_BYTES, 'a salt has 16 bytes')
  return concatBytes(salt, payload)
}

/**
 * The payload in `body`, checked against the header: a view, not a copy.
 *
 * @throws {VerificationError} `PAYLOAD_MISMATCH` if size or hash are not those of the header.
 */
export function openBody(header: Header, body: Uint8Array): Uint8Array {
  const { kind, payloadBytes, payloadHash } = header
  if (body.length !== bodyBytes(kind, payloadBytes)) {
    throw new VerificationError('PAYLOAD_MISMATCH', 'the payload has another size', {
      payloadBytes,
      bodyBytes: body.length,
    })
  }
  if (!bytesEqual(sha256(body), payloadHash)) {
    throw new VerificationError('PAYLOAD_MISMATCH', 'the payload has another hash')
  }
  return kind === KIND_BLINDED ? body.subarray(SALT_BYTES) : body
}
