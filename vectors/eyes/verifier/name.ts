/**
 * Names as CIDv1 (dag-cbor, sha2-256, base32) and origins. RFC 4648 base32 in its one spelling.
 *
 * @module
 */
import { require } from './refuse.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const CID_PREFIX = Buffer.from('01711220', 'hex')

function encodeBase32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  const digits = bits.match(/.{1,5}/g) ?? []
  return digits.map((digit) => ALPHABET[Number.parseInt(digit.padEnd(5, '0'), 2)]).join('')
}

function decodeBase32(text: string): Uint8Array {
  require(/^[a-z2-7]*$/.test(text), 'not base32')
  let bits = ''
  for (const digit of text) bits += ALPHABET.indexOf(digit).toString(2).padStart(5, '0')
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  const decoded = Uint8Array.from(bytes)
  require(encodeBase32(decoded) === text, 'another spelling in base32')
  return decoded
}

export function formatName(name: Uint8Array): string {
  return `b${encodeBase32(Buffer.concat([CID_PREFIX, name]))}`
}

export function parseName(text: string): Uint8Array {
  require(text.length === 59 && text.startsWith('b'), 'not a name')
  const cid = decodeBase32(text.slice(1))
  require(Buffer.compare(cid.subarray(0, 4), CID_PREFIX) === 0, 'not the CID of a capsule')
  return cid.slice(4)
}

export function capsuleOrigin(name: Uint8Array, branch: Uint8Array): string {
  const origin = `longshore/${formatName(name)}`
  return branch.length === 0 ? origin : `${origin}/${encodeBase32(branch)}`
}

export function parseOrigin(origin: string): { name: Uint8Array; branch: Uint8Array } {
  const [prefix, name, branch, ...rest] = origin.split('/')
  require(prefix === 'longshore' && name !== undefined && rest.length === 0, 'not an origin')
  const branchId = branch === undefined ? new Uint8Array(0) : decodeBase32(branch)
  require(branch === undefined || branchId.length === 16, 'not a branch id')
  return { name: parseName(name), branch: branchId }
}
