/**
 * The Edwards curve of Ed25519 (RFC 8032 section 5.1) in BigInt: slow, plain and able to build
 * what no signing library will: points of small and of mixed order, signatures with chosen R.
 *
 * Only for generating vectors from public seeds; nothing here is constant-time.
 */
import { createHash } from 'node:crypto'

export const P = 2n ** 255n - 19n
export const L = 2n ** 252n + 27742317777372353535851937790883648493n
const D = mod(-121665n * inverse(121666n))
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n)

function mod(value, modulus = P) {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

function power(base, exponent) {
  let result = 1n
  let square = mod(base)
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

function inverse(value) {
  return power(value, P - 2n)
}

export const IDENTITY = { x: 0n, y: 1n }

/** Points inside a computation: x = X/Z, y = Y/Z, T = XY/Z (RFC 8032 section 5.1.4). */
function extend(point) {
  return { X: point.x, Y: point.y, Z: 1n, T: mod(point.x * point.y) }
}

function flatten(point) {
  const z = inverse(point.Z)
  return { x: mod(point.X * z), y: mod(point.Y * z) }
}

function addExtended(a, b) {
  const minus = mod((a.Y - a.X) * (b.Y - b.X))
  const plus = mod((a.Y + a.X) * (b.Y + b.X))
  const t = mod(2n * a.T * b.T * D)
  const z = mod(2n * a.Z * b.Z)
  const [e, f, g, h] = [plus - minus, z - t, z + t, plus + minus]
  return { X: mod(e * f), Y: mod(g * h), Z: mod(f * g), T: mod(e * h) }
}

export function add(a, b) {
  return flatten(addExtended(extend(a), extend(b)))
}

export function negate(point) {
  return { x: mod(-point.x), y: point.y }
}

export function multiply(scalar, point) {
  let result = extend(IDENTITY)
  let doubled = extend(point)
  for (let bits = scalar; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = addExtended(result, doubled)
    doubled = addExtended(doubled, doubled)
  }
  return flatten(result)
}

export function equal(a, b) {
  return a.x === b.x && a.y === b.y
}

/** x with the given lowest bit for this y, or undefined if y is on no point of the curve. */
function recoverX(y, sign) {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n))
  let x = power(square, (P + 3n) / 8n)
  if (mod(x * x) !== square) x = mod(x * SQRT_MINUS_ONE)
  if (mod(x * x) !== square) return undefined
  if ((x & 1n) !== sign) x = mod(-x)
  return x
}

export function littleEndian(value, byteCount) {
  const bytes = new Uint8Array(byteCount)
  for (let at = 0, rest = value; at < byteCount; at += 1, rest >>= 8n) {
    bytes[at] = Number(rest & 0xffn)
  }
  return bytes
}

function fromLittleEndian(bytes) {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

export function encodePoint(point) {
  return littleEndian(point.y | ((point.x & 1n) << 255n), 32)
}

function yOf(bytes) {
  return fromLittleEndian(bytes) & ((1n << 255n) - 1n)
}

/** Lenient, as the equation needs it: y is reduced, a sign on x = 0 is ignored. */
export function decodePoint(bytes) {
  const value = fromLittleEndian(bytes)
  const y = mod(yOf(bytes))
  const x = recoverX(y, value >> 255n)
  return x === undefined ? undefined : { x, y }
}

function isCanonical(bytes) {
  const point = decodePoint(bytes)
  return point !== undefined && Buffer.compare(encodePoint(point), bytes) === 0
}

function isSmallOrder(point) {
  return equal(multiply(8n, point), IDENTITY)
}

export const BASE = decodePoint(littleEndian(mod(4n * inverse(5n)), 32))

/** A point of order 8: any point times L that does not collapse. */
export const TORSION = findTorsion()

function findTorsion() {
  for (let y = 2n; ; y += 1n) {
    const point = decodePoint(littleEndian(y, 32))
    if (point === undefined) continue
    const torsion = multiply(L, point)
    if (!equal(multiply(4n, torsion), IDENTITY)) return torsion
  }
}

/** SHA-512(R || A || M) as an integer modulo L. */
export function challenge(encodedR, encodedA, message) {
  const hash = createHash('sha512').update(encodedR).update(encodedA).update(message).digest()
  return mod(fromLittleEndian(new Uint8Array(hash)), L)
}

/** The secret scalar of an RFC 8032 seed. */
export function secretScalar(seed) {
  const hash = new Uint8Array(createHash('sha512').update(seed).digest()).slice(0, 32)
  hash[0] &= 248
  hash[31] = (hash[31] & 127) | 64
  return fromLittleEndian(hash)
}

/**
 * The one verdict of F3: undefined if valid, else the error code. A canonical and not of small
 * order; S below L; R canonical and not of small order; the equation without cofactor. A key that
 * is on no point of the curve has no valid signature; that alone is not a refused key.
 */
export function verdict(encodedA, message, signature) {
  const pointA = decodePoint(encodedA)
  if (pointA === undefined) return yOf(encodedA) < P ? 'BAD_SIGNATURE' : 'BAD_KEY'
  if (!isCanonical(encodedA) || isSmallOrder(pointA)) return 'BAD_KEY'
  const encodedR = signature.slice(0, 32)
  const scalar = fromLittleEndian(signature.slice(32))
  const pointR = decodePoint(encodedR)
  if (scalar >= L || pointR === undefined || !isCanonical(encodedR)) return 'BAD_SIGNATURE'
  if (isSmallOrder(pointR)) return 'BAD_SIGNATURE'
  const right = add(pointR, multiply(challenge(encodedR, encodedA, message), pointA))
  return equal(multiply(scalar, BASE), right) ? undefined : 'BAD_SIGNATURE'
}
