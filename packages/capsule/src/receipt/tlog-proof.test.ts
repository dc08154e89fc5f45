import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCbor } from '../cbor/cbor.ts'
import { leafHashes } from '../tree/testing/reference-tree.ts'
import { decodeReceiptExtra, encodeReceiptExtra, type ReceiptExtra } from './receipt-extra.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'

const CHECKPOINT = 'origin\n3\nroot\n\n— origin signature\n'
const PROOF = {
  extra: Uint8Array.of(1, 2, 3, 4),
  index: 2,
  path: leafHashes(0, 3),
  checkpoint: CHECKPOINT,
}
const EXTRA: ReceiptExtra = {
  manifest: Uint8Array.of(1),
  header: Uint8Array.of(2),
  payload: Uint8Array.of(3),
  certs: [Uint8Array.of(4)],
  cosigners: [{ manifest: Uint8Array.of(5), certs: [Uint8Array.of(6), Uint8Array.of(7)] }],
}
const REFUSED = { code: 'RECEIPT_INVALID' }

test('RC1: the lines of a proof, and back', () => {
  const text = formatTlogProof(PROOF)
  const [first, extra, index, hash] = text.split('\n')
  assert.equal(first, 'c2sp.org/tlog-proof@v1')
  assert.equal(extra, 'extra AQIDBA==')
  assert.equal(index, 'index 2')
  assert.equal(hash?.length, 44)
  assert.ok(text.endsWith(`\n\n${CHECKPOINT}`))
  for (const proof of [PROOF, { ...PROOF, extra: undefined }, { ...PROOF, path: [] }]) {
    assert.deepEqual(parseTlogProof(formatTlogProof(proof)), proof)
  }
  const last = { ...PROOF, index: Number.MAX_SAFE_INTEGER, path: leafHashes(0, 54) }
  assert.deepEqual(parseTlogProof(formatTlogProof(last)), last)
})

test('RC2: every other spelling of a proof is refused', () => {
  const text = formatTlogProof(PROOF)
  const wrong: [why: string, text: string][] = [
    ['nothing', ''],
    ['another version', text.replace('@v1', '@v2')],
    ['a line before', `\n${text}`],
    ['carriage returns', text.replaceAll('\n', '\r\n')],
    ['no index', text.replace('index 2\n', '')],
    ['an index twice', text.replace('index 2\n', 'index 2\nindex 2\n')],
    ['a leading zero', text.replace('index 2', 'index 02')],
    ['a sign', text.replace('index 2', 'index +2')],
    ['an exponent', text.replace('index 2', 'index 2e0')],
    ['no number', text.replace('index 2', 'index ')],
    ['two spaces', text.replace('index 2', 'index  2')],
    ['a space behind', text.replace('index 2', 'index 2 ')],
    ['a number too large', text.replace('index 2', 'index 9007199254740992')],
    ['another word', text.replace('index 2', 'Index 2')],
    [
      'the extra after the index',
      text.replace('extra AQIDBA==\nindex 2', 'index 2\nextra AQIDBA=='),
    ],
    ['an extra twice', text.replace('extra', 'extra AQIDBA==\nextra')],
    ['an empty extra', text.replace('AQIDBA==', '')],
    ['an extra without padding', text.replace('AQIDBA==', 'AQIDBA')],
    ['an extra with spare bits', text.replace('AQIDBA==', 'AQIDBB==')],
    ['a hash too short', text.replace(/index 2\n..../, 'index 2\n')],
    ['a line that is no hash', text.replace('index 2\n', 'index 2\nhash\n')],
    ['55 hashes', formatTlogProof({ ...PROOF, path: leafHashes(0, 55) })],
    ['no empty line', text.replaceAll('\n\n', '\n')],
  ]
  for (const [why, altered] of wrong) {
    assert.notEqual(altered, text, why)
    assert.throws(() => parseTlogProof(altered), REFUSED, why)
  }
})

test('RC3: an extra, and back', () => {
  const bare = { ...EXTRA, payload: undefined, certs: [], cosigners: [] }
  for (const extra of [EXTRA, bare, { ...EXTRA, payload: new Uint8Array(0) }]) {
    assert.deepEqual(decodeReceiptExtra(encodeReceiptExtra(extra)), extra)
  }
})

test('RC3: an extra lacks no key, has no other, and keeps to the limits', () => {
  const bytes = new Uint8Array(1)
  const good = new Map<string, unknown>([
    ['v', 1],
    ['manifest', bytes],
    ['header', bytes],
    ['payload', bytes],
    ['certs', []],
    ['cosigners', []],
  ])
  const refuse = (why: string, changes: Record<string, unknown>, removed?: string): void => {
    const map = new Map([...good, ...Object.entries(changes)])
    if (removed !== undefined) map.delete(removed)
    const encoded = encodeCbor(map as Map<string, never>)
    assert.throws(() => decodeReceiptExtra(encoded), REFUSED, why)
  }
  for (const key of ['v', 'manifest', 'header', 'certs', 'cosigners']) refuse(key, {}, key)
  refuse('an unknown key', { note: bytes })
  refuse('an unknown key for the payload', { note: bytes }, 'payload')
  refuse('another version', { v: 2 })
  refuse('a version of another type', { v: '1' })
  refuse('a manifest that is no bytes', { manifest: 'm' })
  refuse('a header that is null', { header: null })
  refuse('a payload that is null', { payload: null })
  refuse('certs that are bytes', { certs: bytes })
  refuse('a cert that is text', { certs: ['c'] })
  refuse('a cosigner without certs', { cosigners: [[bytes]] })
  refuse('a cosigner with more', { cosigners: [[bytes, [], []]] })
  refuse('a long manifest', { manifest: new Uint8Array(18_945) })
  refuse('a long header', { header: new Uint8Array(16_385) })
  refuse('a long payload', { payload: new Uint8Array(65_537) })
  refuse('a long cert', { certs: [new Uint8Array(16_385)] })
  refuse('many certs', { certs: Array.from({ length: 17 }, () => bytes) })
  refuse('many cosigners', { cosigners: Array.from({ length: 17 }, () => [bytes, []]) })
  assert.throws(() => decodeReceiptExtra(encodeCbor([])), REFUSED)
  assert.throws(() => decodeReceiptExtra(encodeReceiptExtra(EXTRA).slice(1)), REFUSED)
})
