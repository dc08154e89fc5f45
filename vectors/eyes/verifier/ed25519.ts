/**
 * Ed25519 by node:crypto, with the checks that OpenSSL leaves out: keys and R of small order or
 * written in a non-canonical way (RFC 8032 section 5.1.3, and our decision F3).
 *
 * @module
 */
import { createPublicKey, verify } from 'node:crypto'
import { require } from './refuse.ts'

const P = 2n ** 255n - 19n
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** y of the points whose order divides 8: 0, 1, -1 and the two of order 8. */
const SMALL_ORDER_Y: readonly bigint[] = [
  0n,
  1n,
  P - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]

/** y of an encoded point; the highest bit is the sign of x. */
function yOf(point: Uint8Array): bigint {
  const bigEndian = Buffer.from(point).reverse()
  return BigInt(`0x${bigEndian.toString('hex')}`) & (2n ** 255n - 1n)
}

export function checkPoint(point: Uint8Array): void {
  const y = yOf(point)
  require(y < P, 'a point that is not canonical')
  require(!SMALL_ORDER_Y.includes(y), 'a point of small order')
}

export function checkSignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  require(key.length === 32 && signature.length === 64, 'wrong length of key or signature')
  checkPoint(key)
  checkPoint(signature.subarray(0, 32))
  const spki = Buffer.concat([SPKI_PREFIX, key])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  require(verify(null, message, publicKey, signature), 'the signature does not hold')
}
