/**
 * Heads, checkpoints and heartbeats of a writer with two keys: both sign, and one alone is nothing.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, MAIN_BRANCH } from '../bytes/brands.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { asRoleKey, type RoleKey } from '../crypto/role-key.ts'
import { sha256 } from '../crypto/sha256.ts'
import { createSigner, type Signer } from '../crypto/signer.ts'
import { formatCheckpoint, openCheckpoint } from './checkpoint.ts'
import { decodeHead, encodeHead, type Head, signHead, verifyHead } from './head.ts'
import { createHeartbeat, type Heartbeat, heartbeatLines, verifyHeartbeat } from './heartbeat.ts'
import { formatNote, type Note, parseNote } from './note.ts'

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

const NAME = asCapsuleName(sha256(encodeUtf8('a capsule')))
const BRANCH = asBranchId(new Uint8Array(16).fill(0xb7))
const ROOT = sha256(encodeUtf8('a root'))
const WRITER = createSigner(seedOf(1), seedOf(2))
/** The same Ed25519 key without the other one: what is left once ML-DSA-44 is stripped. */
const HALF = createSigner(seedOf(1))
/** Whoever has broken Ed25519 and nothing else. */
const FORGER = createSigner(seedOf(1), seedOf(3))
const KEY: RoleKey = WRITER.key

const headBy = (signer: Signer, size = 3, branch = MAIN_BRANCH): Head =>
  signHead({ name: NAME, branch, epoch: 0, size, root: ROOT }, signer)
const HEAD = headBy(WRITER)
const note = (head: Head, ...beats: readonly Heartbeat[]): string =>
  formatCheckpoint(
    NAME,
    head,
    KEY,
    beats.flatMap((beat) => heartbeatLines(NAME, head.branch, beat, KEY)),
  )
const open = (text: string): ReturnType<typeof openCheckpoint> =>
  openCheckpoint(text, { writerKey: KEY, name: NAME })

/** A checkpoint whose lines were chosen and put in order by somebody else. */
function rearranged(text: string, lines: (note: Note) => Note['signatures']): string {
  const parsed = parseNote(text)
  return formatNote({ text: parsed.text, signatures: lines(parsed) })
}

test('CP13 CP20: a compact head of two keys has six items and one spelling', () => {
  for (const head of [HEAD, headBy(WRITER, 1, BRANCH)]) {
    const bytes = encodeHead(head)
    assert.equal(bytes[0], 0x86)
    assert.deepEqual(decodeHead(bytes), head)
    const { mlDsa44, ...first } = head
    assert.equal(bytes.length, encodeHead(first).length + 3 + 2420)
    const items = decodeCbor(bytes) as Uint8Array[]
    const refused = { code: 'CHECKPOINT_INVALID' }
    for (const last of [mlDsa44?.slice(1) ?? null, null, 'text', new Uint8Array(64)]) {
      assert.throws(() => decodeHead(encodeCbor(items.with(5, last as Uint8Array))), refused)
    }
    assert.throws(() => decodeHead(encodeCbor([...items, 0])), refused)
  }
})

test('CP12 CP20 SG16 SG17 SG18: a head needs a good signature by each key of its writer', () => {
  verifyHead(NAME, HEAD, KEY)
  const { mlDsa44, ...stripped } = HEAD
  assert.ok(mlDsa44 !== undefined)
  assert.throws(() => verifyHead(NAME, stripped, KEY), { code: 'SIGNATURE_MISSING' })
  assert.throws(() => verifyHead(NAME, headBy(HALF), KEY), { code: 'SIGNATURE_MISSING' })
  const refused = { code: 'BAD_SIGNATURE' }
  assert.throws(() => verifyHead(NAME, headBy(FORGER), KEY), refused)
  assert.throws(
    () => verifyHead(NAME, { ...HEAD, signature: headBy(WRITER, 4).signature }, KEY),
    refused,
  )
  for (const other of [headBy(WRITER, 4), headBy(WRITER, 3, BRANCH)]) {
    assert.throws(() => verifyHead(NAME, { ...HEAD, ...pick(other) }, KEY), refused)
  }
  // A reader whose manifest lists one key takes no head with two.
  assert.throws(() => verifyHead(NAME, HEAD, asRoleKey(KEY.ed25519)), refused)
  verifyHead(NAME, stripped, asRoleKey(KEY.ed25519))
})

function pick({ mlDsa44 }: Head): Pick<Head, 'mlDsa44'> {
  return mlDsa44 === undefined ? {} : { mlDsa44 }
}

test('CP20 CP21: a checkpoint opens to the head with both signatures, in any order of lines', () => {
  const text = note(HEAD)
  assert.equal(parseNote(text).signatures.length, 2)
  assert.deepEqual(open(text).head, HEAD)
  const reversed = rearranged(text, ({ signatures }) => signatures.toReversed())
  assert.deepEqual(open(reversed).head, HEAD)

  const refuse = (code: string, lines: (signed: Note) => Note['signatures']): void => {
    assert.throws(() => open(rearranged(text, lines)), { code })
  }
  refuse('SIGNATURE_MISSING', ({ signatures }) => signatures.slice(0, 1))
  refuse('BAD_SIGNATURE', ({ signatures }) => signatures.slice(1))
  const [first, second] = parseNote(text).signatures
  const again = parseNote(note(headBy(WRITER))).signatures[1]
  assert.ok(first && second && again)
  refuse('CHECKPOINT_INVALID', ({ signatures }) => [...signatures, again])
  refuse('BAD_SIGNATURE', () => [first, { ...second, signature: second.signature.with(9, 0) }])
  refuse('SIGNATURE_MISSING', () => [first, { ...second, keyId: second.keyId ^ 1 }])
  // Of a writer with one key it is a line by somebody unknown.
  const expected = { writerKey: asRoleKey(KEY.ed25519) }
  const { head, unknown } = openCheckpoint(text, expected)
  assert.deepEqual([head.mlDsa44, unknown.length], [undefined, 1])
})

test('CP17 CP22: a heartbeat has two halves of one time', () => {
  const beat = createHeartbeat(NAME, HEAD, 1_700_000_000, WRITER)
  const later = createHeartbeat(NAME, HEAD, 1_700_000_009, WRITER)
  verifyHeartbeat(NAME, HEAD, beat, KEY)
  const { mlDsa44, ...half } = beat
  assert.ok(mlDsa44 !== undefined)
  assert.throws(() => verifyHeartbeat(NAME, HEAD, half, KEY), { code: 'SIGNATURE_MISSING' })
  const mixed = { ...later, mlDsa44 }
  assert.throws(() => verifyHeartbeat(NAME, HEAD, mixed, KEY), { code: 'BAD_SIGNATURE' })

  assert.equal(open(note(HEAD)).heartbeatS, undefined)
  assert.equal(open(note(HEAD, beat)).heartbeatS, beat.timeS)
  assert.equal(open(note(HEAD, later, beat)).heartbeatS, later.timeS)
  assert.equal(parseNote(note(HEAD, beat)).signatures.length, 4)
  const refuse = (text: string, lines: (signed: Note) => Note['signatures']): void => {
    assert.throws(() => open(rearranged(text, lines)), { code: 'SIGNATURE_MISSING' })
  }
  refuse(note(HEAD, beat), ({ signatures }) => signatures.slice(0, 3))
  refuse(note(HEAD, beat), ({ signatures }) => signatures.toSpliced(2, 1))
  // The newest of one half is not the newest of the other.
  refuse(note(HEAD, beat, later), ({ signatures }) => signatures.slice(0, 5))
  const none = rearranged(note(HEAD, beat), ({ signatures }) => signatures.slice(0, 2))
  assert.equal(open(none).heartbeatS, undefined)
})

test('CP22: the signature of a head is no half of a heartbeat', () => {
  const half = createHeartbeat(NAME, HEAD, 0, HALF)
  const claimed: Heartbeat = { ...half, ...pick(HEAD) }
  assert.throws(() => verifyHeartbeat(NAME, HEAD, claimed, KEY), { code: 'SIGNATURE_MISSING' })
  assert.throws(() => open(note(HEAD, half)), { code: 'SIGNATURE_MISSING' })
  assert.throws(() => createHeartbeat(NAME, HEAD, 0, WRITER), { name: 'AssertionFailure' })
})
