/**
 * ML-DSA-44 (FIPS 204): good signatures, altered ones, and encodings that a lenient reader would
 * let through. Where a signature lies in its 2420 bytes: c~ (32), z (2304), hints (80 + 4).
 */
import { concat, derived, filled, flipBit, utf8 } from './bytes.mjs'
import { mlDsaKey, mlDsaKeyFromSeed } from './ml-dsa.mjs'
import { VectorFile } from './vector-file.mjs'

const KEY = mlDsaKey('vectors')
const HINTS_AT = 32 + 2304
const OMEGA = 80
const MESSAGE = utf8('a message')
const SIGNATURE = KEY.sign(MESSAGE)

function addValid(file) {
  const seeds = [
    ['zeros', filled(32, 0)],
    ['ones', filled(32, 0xff)],
    ['other', derived('ml-dsa-44 seed', 32)],
  ]
  for (const [id, seed] of seeds) {
    const { publicKey, sign } = mlDsaKeyFromSeed(seed)
    const fields = { seed, key: publicKey, message: MESSAGE, signature: sign(MESSAGE) }
    file.valid(`seed-${id}`, 'key and signature of a seed', fields)
  }
  for (const length of [0, 1, 136, 1000]) {
    const message = derived('ml-dsa-44 message', length)
    const fields = { key: KEY.publicKey, message, signature: KEY.sign(message) }
    file.valid(`message-${length}`, 'a message of this length', fields)
  }
}

/** A message whose signature has two hints in its first polynomial, and room behind the last. */
function hinted() {
  for (let counter = 0; ; counter += 1) {
    const message = utf8(`hints ${counter}`)
    const signature = KEY.sign(message)
    const ends = signature.slice(HINTS_AT + OMEGA)
    if (ends[0] >= 2 && ends[3] < OMEGA) return { message, signature, ends }
  }
}

function refusedHints() {
  const { message, signature, ends } = hinted()
  const at = (place, value) => signature.with(HINTS_AT + place, value)
  const [first, second] = signature.slice(HINTS_AT, HINTS_AT + 2)
  return {
    message,
    cases: [
      ['order', 'two hints of one polynomial exchanged', at(0, second).with(HINTS_AT + 1, first)],
      ['repeated', 'one hint twice', at(1, first)],
      ['padding', 'a byte behind the last hint', at(ends[3], 1)],
      ['padding-end', 'a byte in the last place for hints', at(OMEGA - 1, 255)],
      ['falls', 'the second polynomial ends before the first', at(OMEGA + 1, ends[0] - 1)],
      ['beyond', 'more hints than there is room for', at(OMEGA + 3, OMEGA + 1)],
      ['most', '255 hints', at(OMEGA + 3, 255)],
      ['fewer', 'the last hint forgotten', at(OMEGA + 3, ends[3] - 1)],
    ],
  }
}

/** The first coefficient of z: 18 bits, little-endian, that hold 2^17 - z. */
function withFirstCoefficient(bits) {
  const changed = SIGNATURE.slice()
  changed[32] = bits & 0xff
  changed[33] = (bits >> 8) & 0xff
  changed[34] = (changed[34] & 0xfc) | (bits >> 16)
  return changed
}

function refusedSignatures() {
  const other = mlDsaKey('another')
  return [
    ['commitment', 'a bit of c~', flipBit(SIGNATURE, 0)],
    ['commitment-end', 'the last bit of c~', flipBit(SIGNATURE, 31, 7)],
    ['z', 'a bit of z', flipBit(SIGNATURE, 32)],
    ['z-end', 'the last bit of z', flipBit(SIGNATURE, HINTS_AT - 1, 7)],
    ['z-largest', 'a coefficient of 2^17, beyond the bound', withFirstCoefficient(0)],
    ['z-smallest', 'a coefficient of 1 - 2^17', withFirstCoefficient(0x3ffff)],
    ['z-bound', 'a coefficient exactly at the bound, 2^17 - 78', withFirstCoefficient(78)],
    ['other-key', 'by another key', other.sign(MESSAGE)],
    ['other-message', 'of another message', KEY.sign(utf8('b message'))],
    ['context', 'with a context string', KEY.signInContext(MESSAGE, utf8('x'))],
    ['zeros', 'nothing but zeros', filled(2420, 0)],
    ['short', '2419 bytes', SIGNATURE.slice(0, -1)],
    ['long', '2421 bytes', concat(SIGNATURE, filled(1, 0))],
    ['empty', 'no bytes', new Uint8Array(0)],
  ]
}

export function mlDsaVectors() {
  const file = new VectorFile(
    'ml-dsa-44',
    'ML-DSA-44, pure, with an empty context. signature over message is by key, or is refused with code; key is that of seed, where given. Signatures here are deterministic; hedged ones are as good.',
  )
  addValid(file)
  const refuse = (id, comment, code, fields) => {
    const { key = KEY.publicKey, message, signature } = fields
    const isWhole = signature.length === 2420 && key === KEY.publicKey
    if (isWhole && KEY.isAcceptedByOpenssl(message, signature)) throw new Error(`${id} is good`)
    file.invalid(id, comment, code, { key, message, signature })
  }
  for (const [id, comment, signature] of refusedSignatures()) {
    refuse(`signature-${id}`, comment, 'BAD_SIGNATURE', { message: MESSAGE, signature })
  }
  const { message, cases } = refusedHints()
  for (const [id, comment, signature] of cases) {
    refuse(`hint-${id}`, comment, 'BAD_SIGNATURE', { message, signature })
  }
  const fields = { message: MESSAGE, signature: SIGNATURE }
  for (const [id, at] of [
    ['rho', 0],
    ['t1', 32],
    ['t1-end', 1311],
  ]) {
    const key = flipBit(KEY.publicKey, at)
    refuse(`key-${id}`, 'a bit of the key', 'BAD_SIGNATURE', { ...fields, key })
  }
  for (const [id, key] of [
    ['short', KEY.publicKey.slice(1)],
    ['long', concat(KEY.publicKey, filled(1, 0))],
    ['ed25519', derived('key of another algorithm', 32)],
  ]) {
    refuse(`key-${id}`, 'a key of another length', 'BAD_KEY', { ...fields, key })
  }
  return file
}
