/**
 * Which Ed25519 encodings are acceptable at all, decided on the bytes alone.
 *
 * Libraries disagree about keys and signatures at the edges ("Taming the many EdDSAs", Chalkias,
 * Garillot, Nikolaenko 2020). These checks run before every back end, and reject what they
 * disagree about. Rules SG2 to SG5 of docs/spec/signing.md; decision F3.
 *
 * @module
 */
import { parseHex } from '../bytes/hex.ts'

/** y coordinates, little-endian without the sign bit, of the eight points of order 1, 2, 4, 8. */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000', // order 4
  '0100000000000000000000000000000000000000000000000000000000000000', // order 1
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // order 2
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', // order 8
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', // order 8
].map((hex) => parseHex(hex) as Uint8Array)

/** The order of the base point, little-endian. */
const GROUP_ORDER: Uint8Array = parseHex(
  'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010',
) as Uint8Array

/** True if y, without the sign bit, is below p = 2^255 - 19. */
function isFieldElement(point: Uint8Array): boolean {
  if (((point[31] as number) & 0x7f) !== 0x7f) return true
  for (let i = 30; i > 0; i--) if (point[i] !== 0xff) return true
  return (point[0] as number) < 0xed
}

/** True if the point has this y, whatever its sign bit: "negative zero" is caught as well. */
function hasY(point: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (point[i] !== y[i]) return false
  return ((point[31] as number) & 0x7f) === y[31]
}

function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER_Y.some((y) => hasY(point, y))
}

/**
 * True if 32 bytes are the canonical encoding of a y coordinate and no point of small order has
 * it. Does not say that the point is on the curve.
 */
export function isAcceptablePoint(point: Uint8Array): boolean {
  return isFieldElement(point) && !isSmallOrder(point)
}

/** True if the 32 bytes of `signature` from 32 on are a number below the group order. */
export function isCanonicalScalar(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (signature[32 + i] as number) - (GROUP_ORDER[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}
