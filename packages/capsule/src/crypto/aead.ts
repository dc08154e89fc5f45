/**
 * ChaCha20-Poly1305 (RFC 8439) in place, with the nonce of the Noise framework: four zero bytes,
 * then a counter of 64 bits, little-endian.
 *
 * In place because packets are sealed where they lie: nothing is copied and nothing allocated.
 *
 * @module
 */
import { sessionBackend } from '#session-crypto'
import { assert } from '../assert.ts'
import { AEAD_KEY_BYTES, AEAD_TAG_BYTES } from '../limits.ts'

const NONCE_BYTES = 12
const TWO_TO_32 = 0x1_0000_0000

/** Written anew by each call and read before it returns. */
const nonce: Uint8Array = new Uint8Array(NONCE_BYTES)

function setNonce(counter: number): void {
  assert(Number.isSafeInteger(counter) && counter >= 0, 'a counter is a safe integer')
  let [low, high] = [counter % TWO_TO_32, Math.floor(counter / TWO_TO_32)]
  for (let i = 4; i < 8; i++) {
    nonce[i] = low
    nonce[i + 4] = high
    low >>>= 8
    high >>>= 8
  }
}

/**
 * Encrypts `bytes[start, end)` in place and writes the tag to `bytes[end, end + 16)`. A counter is
 * used once with a key, ever.
 */
export function sealInPlace(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  assert(key.length === AEAD_KEY_BYTES, 'a key has 32 bytes')
  assert(start >= 0 && start <= end && end + AEAD_TAG_BYTES <= bytes.length, 'there is room')
  setNonce(counter)
  sessionBackend.seal(key, nonce, associated, bytes, start, end)
}

/**
 * Opens `bytes[start, end)`, which ends with the tag, in place: the content is then in
 * `bytes[start, end - 16)`. False if anything differs from what was sealed; the range then holds
 * nothing of use. A boolean, not an error, because whoever knows an address can send forgeries,
 * and to refuse one must cost little.
 */
export function isOpenedInPlace(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  assert(key.length === AEAD_KEY_BYTES, 'a key has 32 bytes')
  assert(start >= 0 && end <= bytes.length, 'the range lies in the bytes')
  if (end - start < AEAD_TAG_BYTES) return false
  setNonce(counter)
  return sessionBackend.isOpened(key, nonce, associated, bytes, start, end)
}
