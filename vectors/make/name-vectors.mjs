/** Names, branch ids and origins, and every other spelling of them that must be refused. */
import {
  base32,
  base64,
  concat,
  derived,
  filled,
  hex,
  sha256,
  unhex,
  utf8,
  withSpareBits,
} from './bytes.mjs'
import { VectorFile } from './vector-file.mjs'

const CID_PREFIX = unhex('01711220')

export function formatName(name) {
  return 'b' + base32(concat(CID_PREFIX, name))
}

export function formatOrigin(name, branch) {
  const origin = `longshore/${formatName(name)}`
  return branch.length === 0 ? origin : `${origin}/${base32(branch)}`
}

const BASE58_ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function base58(bytes) {
  let rest = BigInt(`0x${hex(bytes)}`)
  let text = ''
  while (rest > 0n) {
    text = BASE58_ALPHABET[Number(rest % 58n)] + text
    rest /= 58n
  }
  return text
}

function refusedNames(name) {
  const good = formatName(name)
  const cid = concat(CID_PREFIX, name)
  const inCid = (prefix, digest) => 'b' + base32(concat(unhex(prefix), digest))
  return [
    ['empty', 'nothing', ''],
    ['prefix-only', 'the multibase letter alone', 'b'],
    ['uppercase', 'base32 upper case is another spelling', good.toUpperCase()],
    [
      'uppercase-multibase',
      'upper-case base32 with its own letter',
      'B' + good.slice(1).toUpperCase(),
    ],
    [
      'mixed-case',
      'one letter in upper case',
      good.slice(0, 10) + good.slice(10, 30).toUpperCase() + good.slice(30),
    ],
    [
      'spare-bits-1',
      'last character with spare bits 01: decodes to the same bytes',
      withSpareBits(good, 1),
    ],
    [
      'spare-bits-2',
      'last character with spare bits 10: decodes to the same bytes',
      withSpareBits(good, 2),
    ],
    [
      'spare-bits-3',
      'last character with spare bits 11: decodes to the same bytes',
      withSpareBits(good, 3),
    ],
    ['no-multibase', 'the letter b missing', good.slice(1)],
    ['hex', 'base16 of the same CID', 'f' + hex(cid)],
    ['hex-of-name', 'the 32 bytes in hex', hex(name)],
    ['base58', 'base58btc of the same CID', 'z' + base58(cid)],
    ['base64', 'base64 of the same CID', 'm' + base64(cid)],
    ['cidv0', 'CID version 0', base58(concat(unhex('1220'), name))],
    ['cidv0-base32', 'the multihash without version and codec', inCid('1220', name)],
    ['version-2', 'CID version 2', inCid('02711220', name)],
    ['codec-raw', 'codec raw', inCid('01551220', name)],
    ['codec-dag-pb', 'codec dag-pb', inCid('01701220', name)],
    ['codec-cbor', 'codec cbor', inCid('01511220', name)],
    ['hash-sha3', 'hash function sha3-256', inCid('01711620', name)],
    ['hash-identity', 'identity instead of a hash', inCid('01710020', name)],
    ['long-varint', 'version as a two-byte varint', inCid('8100711220', name)],
    ['digest-length-31', 'digest length 31 and 31 bytes', inCid('0171121f', name.slice(0, 31))],
    ['digest-short', 'digest length 32 and 31 bytes', inCid('01711220', name.slice(0, 31))],
    ['digest-33', 'one byte too many', inCid('01711220', concat(name, filled(1, 0)))],
    ['digest-64', 'sha2-512', inCid('01711340', concat(name, name))],
  ]
}

/** Texts that no base32 decoder should even look at. */
function refusedTexts(name) {
  const good = formatName(name)
  return [
    ['cut', 'last character missing', good.slice(0, -1)],
    ['longer', 'one character more', good + 'a'],
    ['padding', 'base32 padding', good + '======'],
    ['space-before', 'a space before', ' ' + good],
    ['space-after', 'a space after', good + ' '],
    ['newline-after', 'a line break after', good + '\n'],
    ['nul-after', 'NUL after', good + '\u0000'],
    ['digit-1', 'a character outside the alphabet', good.slice(0, -3) + '1' + good.slice(-2)],
    ['digit-0', 'a character outside the alphabet', good.slice(0, -3) + '0' + good.slice(-2)],
    ['digit-8', 'a character outside the alphabet', good.slice(0, -3) + '8' + good.slice(-2)],
    ['hyphen', 'a character outside the alphabet', good.slice(0, -3) + '-' + good.slice(-2)],
    ['fullwidth', 'a letter that Unicode folds to ASCII', '\uff42' + good.slice(1)],
    ['cyrillic', 'a letter that looks like a', good.slice(0, 1) + '\u0430' + good.slice(2)],
    ['combining', 'a combining mark after a letter', good.slice(0, 20) + '\u0301' + good.slice(20)],
    ['kelvin', 'U+212A lower-cases to k', good.slice(0, 20) + '\u212a' + good.slice(21)],
    ['path', 'an IPFS path', '/ipfs/' + good],
    ['uri', 'a URI', 'ipfs://' + good],
    ['origin', 'an origin is not a name', 'longshore/' + good],
    ['long', 'four thousand characters', 'b' + 'a'.repeat(4000)],
  ]
}

function refusedBranches(branch) {
  const good = base32(branch)
  return [
    ['spare-bits-1', 'spare bits 01', withSpareBits(good, 1)],
    ['spare-bits-2', 'spare bits 10', withSpareBits(good, 2)],
    ['spare-bits-3', 'spare bits 11', withSpareBits(good, 3)],
    ['uppercase', 'upper case', good.toUpperCase()],
    ['cut', '25 characters', good.slice(0, -1)],
    ['longer', '27 characters', good + 'a'],
    ['bytes-15', '15 bytes', base32(branch.slice(0, 15))],
    ['bytes-17', '17 bytes', base32(concat(branch, filled(1, 0)))],
    ['padding', 'base32 padding', good + '======'],
    ['multibase', 'a multibase letter before', 'b' + good],
    ['hex', 'base16', hex(branch)],
    ['space', 'a space after', good + ' '],
    ['digit-1', 'a character outside the alphabet', '1' + good.slice(1)],
  ]
}

const NAMES = [
  ['zero', filled(32, 0)],
  ['ones', filled(32, 0xff)],
  ['counting', Uint8Array.from({ length: 32 }, (_, at) => at)],
  ['hash', sha256(utf8('longshore'))],
  ['derived', derived('name', 32)],
]

const BRANCHES = [
  ['zero', filled(16, 0)],
  ['ones', filled(16, 0xff)],
  ['derived', derived('branch', 16)],
]

export function nameVectors() {
  const file = new VectorFile(
    'name',
    'Capsule names (CIDv1 dag-cbor sha2-256 base32), branch ids (base32) and origins. kind says which parser the text is for.',
  )
  for (const [id, name] of NAMES) {
    file.valid(`name-${id}`, '59 characters, one spelling', {
      kind: 'name',
      bytes: name,
      text: formatName(name),
    })
  }
  for (const [id, branch] of BRANCHES) {
    file.valid(`branch-${id}`, '26 characters, one spelling', {
      kind: 'branch',
      bytes: branch,
      text: base32(branch),
    })
  }
  const main = new Uint8Array(0)
  for (const [id, name] of NAMES) {
    file.valid(`origin-${id}`, 'the main branch adds nothing', {
      kind: 'origin',
      name,
      branch: main,
      text: formatOrigin(name, main),
    })
    const branch = BRANCHES[2][1]
    file.valid(`origin-${id}-branch`, 'another branch is a third part', {
      kind: 'origin',
      name,
      branch,
      text: formatOrigin(name, branch),
    })
  }
  for (const [id, comment, text] of [...refusedNames(NAMES[4][1]), ...refusedTexts(NAMES[4][1])]) {
    file.invalid(`bad-name-${id}`, comment, 'NAME_INVALID', { kind: 'name', text })
  }
  for (const [id, comment, text] of refusedBranches(BRANCHES[2][1])) {
    file.invalid(`bad-branch-${id}`, comment, 'NAME_INVALID', { kind: 'branch', text })
  }
  return file
}
