/** Ed25519 keys and signatures at the edges, with the one verdict of F3 for every back end. */
import { concat, derived, filled, flipBit, hex, unhex, utf8 } from './bytes.mjs'
import { PUBLISHED_CASES } from './ed25519-published.mjs'
import {
  add,
  BASE,
  challenge,
  decodePoint,
  encodePoint,
  equal,
  IDENTITY,
  L,
  littleEndian,
  multiply,
  negate,
  P,
  secretScalar,
  TORSION,
  verdict,
} from './edwards.mjs'
import { keyFromSeed } from './keys.mjs'
import { VectorFile } from './vector-file.mjs'

const RFC8032_CASES = [
  ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', ''],
  ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '72'],
  ['c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'af82'],
]

function addKey(file, id, comment, key, code) {
  if (code === undefined) file.valid(id, comment, { kind: 'key', key })
  else file.invalid(id, comment, code, { kind: 'key', key })
}

/** The expected verdict is computed; `expected` says what the author meant, and must agree. */
function addSignature(file, id, comment, { key, message, signature }, expected) {
  const code = verdict(key, message, signature)
  if (code !== expected) throw new Error(`${id}: meant ${expected}, the equation says ${code}`)
  const fields = { kind: 'signature', key, message, signature }
  if (code === undefined) file.valid(id, comment, fields)
  else file.invalid(id, comment, code, fields)
}

function addKeys(file) {
  addKey(
    file,
    'key-ordinary',
    'a key like any other',
    keyFromSeed(derived('ordinary', 32)).publicKey,
  )
  addKey(file, 'key-base-point', 'the base point has the right order', encodePoint(BASE))
  const mixed = add(BASE, TORSION)
  addKey(file, 'key-mixed-order', 'a torsion part alone is no reason to refuse', encodePoint(mixed))
  for (let factor = 0n; factor < 8n; factor += 1n) {
    const point = multiply(factor, TORSION)
    addKey(file, `key-small-order-${factor}`, 'order divides 8', encodePoint(point), 'BAD_KEY')
  }
  for (let excess = 0n; excess < 19n; excess += 1n) {
    for (const sign of [0n, 1n]) {
      const key = littleEndian((P + excess) | (sign << 255n), 32)
      addKey(file, `key-y-p-plus-${excess}-${sign}`, 'y is not below p', key, 'BAD_KEY')
    }
  }
  for (const y of [1n, P - 1n]) {
    const key = littleEndian(y | (1n << 255n), 32)
    addKey(
      file,
      `key-minus-zero-${y === 1n ? '1' : 'minus-1'}`,
      'x is 0 with sign 1',
      key,
      'BAD_KEY',
    )
  }
}

/** No point has this y, so nobody can hold the secret; the two cheap signatures must fail too. */
function addOffCurve(file) {
  const message = utf8('signed by nobody')
  const someR = encodePoint(BASE)
  const signature = concat(someR, littleEndian(1n, 32))
  let found = 0
  for (let y = 2n; found < 4; y += 1n) {
    const key = littleEndian(y, 32)
    if (decodePoint(key) !== undefined) continue
    found += 1
    addSignature(
      file,
      `off-curve-${y}`,
      'the key is on no point of the curve',
      {
        key,
        message,
        signature,
      },
      'BAD_SIGNATURE',
    )
  }
}

function addOrdinarySignatures(file) {
  for (const [at, [seed, message]] of RFC8032_CASES.entries()) {
    const { publicKey, sign } = keyFromSeed(unhex(seed))
    const bytes = unhex(message)
    const good = { key: publicKey, message: bytes, signature: sign(bytes) }
    addSignature(file, `rfc8032-${at + 1}`, 'RFC 8032 section 7.1', good)
  }
  const { publicKey: key, sign } = keyFromSeed(derived('ordinary', 32))
  const message = utf8('a message that somebody signed')
  const signature = sign(message)
  const bad = (id, comment, change) =>
    addSignature(file, id, comment, { key, message, signature, ...change }, 'BAD_SIGNATURE')
  addSignature(file, 'long-message', 'one byte above a block', {
    key,
    message: filled(4097, 0x61),
    signature: sign(filled(4097, 0x61)),
  })
  bad('flip-message', 'one bit of the message', { message: flipBit(message, 3) })
  bad('cut-message', 'the message without its end', { message: message.slice(0, -1) })
  bad('flip-r', 'one bit of R', { signature: flipBit(signature, 0) })
  bad('flip-s', 'one bit of S', { signature: flipBit(signature, 32) })
  bad('other-key', 'the signature of another key', {
    signature: keyFromSeed(derived('other', 32)).sign(message),
  })
  bad('zero-signature', '64 zero bytes', { signature: filled(64, 0) })
  const scalar = BigInt(`0x${hex(signature.slice(32).reverse())}`)
  for (const factor of [1n, 2n, 8n, 15n]) {
    if (scalar + factor * L >= 2n ** 256n) continue
    bad(`s-plus-${factor}-l`, 'S + multiple of L: the same signature, spelled otherwise', {
      signature: concat(signature.slice(0, 32), littleEndian(scalar + factor * L, 32)),
    })
  }
  bad('s-is-l', 'S = L', { signature: concat(signature.slice(0, 32), littleEndian(L, 32)) })
  bad('s-all-ones', 'S = 2^256 - 1', {
    signature: concat(signature.slice(0, 32), filled(32, 0xff)),
  })
}

/** Looks for a message whose challenge makes `accept` true; the counter is in the message. */
function search(encodedR, encodedA, accept) {
  for (let counter = 0; ; counter += 1) {
    const message = utf8(`edge case ${counter}`)
    const k = challenge(encodedR, encodedA, message)
    if (accept(k)) return { message, k }
  }
}

function addMixedOrder(file) {
  const secret = secretScalar(derived('mixed', 32))
  const pointA = add(multiply(secret, BASE), TORSION)
  const key = encodePoint(pointA)
  const nonce = 12345678901234567890n
  const plainR = encodePoint(multiply(nonce, BASE))
  const answer = (encodedR, k) => concat(encodedR, littleEndian((nonce + k * secret) % L, 32))
  const holds = search(plainR, key, (k) => k % 8n === 0n)
  addSignature(
    file,
    'mixed-a-holds',
    'A of mixed order, the torsion cancels: valid without cofactor',
    {
      key,
      message: holds.message,
      signature: answer(plainR, holds.k),
    },
  )
  const cofactor = search(plainR, key, (k) => k % 8n === 1n)
  addSignature(
    file,
    'mixed-a-cofactor',
    'A of mixed order: only the equation with cofactor holds',
    {
      key,
      message: cofactor.message,
      signature: answer(plainR, cofactor.k),
    },
    'BAD_SIGNATURE',
  )
  const mixedR = encodePoint(add(multiply(nonce, BASE), negate(TORSION)))
  const both = search(mixedR, key, (k) => k % 8n === 1n)
  addSignature(file, 'mixed-a-and-r', 'A and R of mixed order, the torsion cancels', {
    key,
    message: both.message,
    signature: answer(mixedR, both.k),
  })
  const ordinary = keyFromSeed(derived('ordinary', 32))
  const scalar = secretScalar(derived('ordinary', 32))
  const message = utf8('R of mixed order')
  const k = challenge(mixedR, ordinary.publicKey, message)
  addSignature(
    file,
    'mixed-r-cofactor',
    'R of mixed order: only the equation with cofactor holds',
    {
      key: ordinary.publicKey,
      message,
      signature: concat(mixedR, littleEndian((nonce + k * scalar) % L, 32)),
    },
    'BAD_SIGNATURE',
  )
  addSmallR(file, key, secret, ordinary.publicKey, scalar)
}

/** R of small order with S = k * a: the equation holds, everybody with the key could do it. */
function addSmallR(file, mixedKey, mixedSecret, plainKey, plainSecret) {
  const encodings = [
    ['identity', encodePoint(IDENTITY)],
    ['identity-y-p-plus-1', littleEndian(P + 1n, 32)],
    ['identity-minus-zero', littleEndian(1n | (1n << 255n), 32)],
  ]
  for (const [id, encodedR] of encodings) {
    const message = utf8(`R is the identity, written as ${id}`)
    const k = challenge(encodedR, plainKey, message)
    addSignature(
      file,
      `small-r-${id}`,
      'R of small order or not canonical; the equation holds',
      {
        key: plainKey,
        message,
        signature: concat(encodedR, littleEndian((k * plainSecret) % L, 32)),
      },
      'BAD_SIGNATURE',
    )
  }
  const encodedR = encodePoint(negate(multiply(3n, TORSION)))
  const { message, k } = search(encodedR, mixedKey, (value) => value % 8n === 3n)
  addSignature(
    file,
    'small-r-mixed-a',
    'R of order 8 cancels the torsion of A',
    {
      key: mixedKey,
      message,
      signature: concat(encodedR, littleEndian((k * mixedSecret) % L, 32)),
    },
    'BAD_SIGNATURE',
  )
}

/** A of small order: R = S * B is then valid for one message in eight, or for all. */
function addSmallA(file) {
  const scalar = 424242n
  const encodedR = encodePoint(multiply(scalar, BASE))
  for (let factor = 0n; factor < 8n; factor += 1n) {
    const key = encodePoint(multiply(factor, TORSION))
    const { message } = search(encodedR, key, (k) => {
      return equal(multiply(k, multiply(factor, TORSION)), IDENTITY)
    })
    addSignature(
      file,
      `small-a-${factor}`,
      'A of small order: a signature that nobody had to make',
      {
        key,
        message,
        signature: concat(encodedR, littleEndian(scalar, 32)),
      },
      'BAD_KEY',
    )
  }
}

const PUBLISHED_VERDICTS = [
  'BAD_KEY',
  'BAD_KEY',
  'BAD_SIGNATURE',
  undefined,
  'BAD_SIGNATURE',
  'BAD_SIGNATURE',
  'BAD_SIGNATURE',
  'BAD_SIGNATURE',
  'BAD_SIGNATURE',
  'BAD_SIGNATURE',
  'BAD_KEY',
  'BAD_KEY',
]

export function ed25519Vectors() {
  const file = new VectorFile(
    'ed25519',
    'Ed25519 with one verdict: A canonical and not of small order, S below L, R canonical and not of small order, equation without cofactor. kind key: decoding a public key alone; kind signature: decoding the key, then verifying.',
  )
  addKeys(file)
  addOrdinarySignatures(file)
  addOffCurve(file)
  addMixedOrder(file)
  addSmallA(file)
  for (const [at, published] of PUBLISHED_CASES.entries()) {
    const bytes = {
      key: unhex(published.key),
      message: unhex(published.message),
      signature: unhex(published.signature),
    }
    addSignature(file, `published-${at}`, published.comment, bytes, PUBLISHED_VERDICTS[at])
  }
  return file
}
