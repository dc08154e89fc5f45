import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backend } from '#crypto'
import { asBranchId, asCapsuleName, type Hash, MAIN_BRANCH } from '../bytes/brands.ts'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { sha256 } from '../crypto/sha256.ts'
import { createSigner } from '../crypto/signer.ts'
import { formatOrigin } from '../name/name.ts'
import { EMPTY_ROOT } from '../tree/hash.ts'
import { formatCheckpoint, openCheckpoint, openForeignCheckpoint } from './checkpoint.ts'
import { formatCheckpointText, parseCheckpointText } from './checkpoint-text.ts'
import { cosignatureMessage, encodeTimestampedSignature } from './cosignature.ts'
import { decodeHead, encodeHead, type Head, headText, signHead, verifyHead } from './head.ts'
import { createHeartbeat, heartbeatLines, verifyHeartbeat } from './heartbeat.ts'
import { formatNote, type NoteSignature, parseNote } from './note.ts'
import { NOTE_COSIGNATURE, NOTE_ED25519, type NoteKey, noteKeyId } from './note-key.ts'

const NAME = asCapsuleName(sha256(encodeUtf8('a capsule')))
const OTHER_NAME = asCapsuleName(sha256(encodeUtf8('another capsule')))
const BRANCH = asBranchId(new Uint8Array(16).fill(0xb7))
const ROOT = sha256(encodeUtf8('a root'))
const WRITER_SEED = new Uint8Array(32).fill(1)
const WRITER = createSigner(WRITER_SEED)
const STRANGER = createSigner(new Uint8Array(32).fill(2))
const WITNESS = createSigner(new Uint8Array(32).fill(3))
const WITNESS_KEY: NoteKey = { name: 'w.example', type: NOTE_COSIGNATURE, key: WITNESS.publicKey }
const writerKey = WRITER.key

const HEAD = signHead({ name: NAME, branch: MAIN_BRANCH, epoch: 0, size: 3, root: ROOT }, WRITER)
const BRANCH_HEAD = signHead({ name: NAME, branch: BRANCH, epoch: 0, size: 1, root: ROOT }, WRITER)

function witnessLine(head: Head, timeS: number): NoteSignature {
  return witnessText(headText(NAME, head), timeS)
}

function witnessText(text: string, timeS: number): NoteSignature {
  const signature = WITNESS.sign(cosignatureMessage(text, timeS))
  return {
    keyName: WITNESS_KEY.name,
    keyId: noteKeyId(WITNESS_KEY),
    signature: encodeTimestampedSignature({ timeS, signature }),
  }
}

/** A checkpoint with any text, signed by the writer as the origin of `name` and `branch`. */
function signedText(text: string, branch = MAIN_BRANCH, times = 1): string {
  const keyName = formatOrigin(NAME, branch)
  const keyId = noteKeyId({ name: keyName, type: NOTE_ED25519, key: WRITER.publicKey })
  // A signer of ours would refuse most of these texts.
  const signature = backend.createSigningKey(WRITER_SEED).sign(encodeUtf8(text))
  const line = { keyName, keyId, signature }
  return formatNote({ text, signatures: Array.from({ length: times }, () => line) })
}

test('CP9: a checkpoint has three lines, one spelling', () => {
  const origin = formatOrigin(NAME, MAIN_BRANCH)
  const text = formatCheckpointText(origin, 3, ROOT)
  assert.deepEqual(parseCheckpointText(text), { origin, size: 3, root: ROOT, extensions: [] })
  const [, , rootLine] = text.split('\n') as [string, string, string]
  const wrong = [
    '',
    '\n',
    `${origin}\n`,
    `${origin}\n3\n`,
    `${origin}\n3\n${rootLine}`,
    `\n3\n${rootLine}\n`,
    `${origin}\n\n${rootLine}\n`,
    `${origin}\n03\n${rootLine}\n`,
    `${origin}\n+3\n${rootLine}\n`,
    `${origin}\n3.0\n${rootLine}\n`,
    `${origin}\n3e0\n${rootLine}\n`,
    `${origin}\n0x3\n${rootLine}\n`,
    `${origin}\n-3\n${rootLine}\n`,
    `${origin}\n 3\n${rootLine}\n`,
    `${origin}\n9007199254740992\n${rootLine}\n`,
    `${origin}\n10000000000000000\n${rootLine}\n`,
    `${origin}\n3\n${rootLine.slice(0, -1)}\n`,
    `${origin}\n3\n${rootLine.slice(0, 40)}\n`,
    `${origin}\n3\n${rootLine}\n\n`,
    `${origin}\n3\n${rootLine}\nextension\n\n`,
  ]
  for (const altered of wrong) {
    const parse = (): unknown => parseCheckpointText(altered)
    assert.throws(parse, { code: 'CHECKPOINT_INVALID' }, JSON.stringify(altered))
  }
  parseCheckpointText(`${origin}\n9007199254740991\n${rootLine}\n`)
})

test('CP7 CP10 CP12: a checkpoint commits to capsule, branch, size and root', () => {
  for (const head of [HEAD, BRANCH_HEAD]) {
    const note = formatCheckpoint(NAME, head, writerKey)
    const opened = openCheckpoint(note, { writerKey, name: NAME, branch: head.branch })
    assert.deepEqual(opened, {
      name: NAME,
      head,
      heartbeat: undefined,
      heartbeatS: undefined,
      cosignatures: [],
      unknown: [],
    })
    assert.deepEqual(openCheckpoint(note, { writerKey }).head, head)
  }
})

test('CP10: the checkpoint of another capsule, branch or writer is refused', () => {
  const note = formatCheckpoint(NAME, BRANCH_HEAD, writerKey)
  const code = 'NAME_MISMATCH'
  assert.throws(() => openCheckpoint(note, { writerKey, name: OTHER_NAME }), { code })
  assert.throws(() => openCheckpoint(note, { writerKey, branch: MAIN_BRANCH }), { code })
  const stranger = { writerKey: STRANGER.key }
  assert.throws(() => openCheckpoint(note, stranger), { code: 'BAD_SIGNATURE' })
  // A stranger who claims the origin with a key of its own.
  const claimed = formatCheckpoint(NAME, { ...BRANCH_HEAD }, STRANGER.key)
  assert.throws(() => openCheckpoint(claimed, { writerKey }), { code: 'BAD_SIGNATURE' })
})

test('CP8 CP10: no change of origin, size, root or signature is accepted', () => {
  const note = formatCheckpoint(NAME, HEAD, writerKey)
  const heads: Head[] = [
    { ...HEAD, size: 4 },
    { ...HEAD, root: sha256(ROOT) },
    { ...HEAD, branch: BRANCH },
    { ...HEAD, signature: BRANCH_HEAD.signature },
  ]
  for (const head of heads) {
    const altered = formatCheckpoint(NAME, head, writerKey)
    assert.notEqual(altered, note)
    assert.throws(() => openCheckpoint(altered, { writerKey }), { code: 'BAD_SIGNATURE' })
    assert.throws(() => verifyHead(NAME, head, writerKey), { code: 'BAD_SIGNATURE' })
  }
  verifyHead(NAME, HEAD, writerKey)
  assert.throws(() => verifyHead(OTHER_NAME, HEAD, writerKey), { code: 'BAD_SIGNATURE' })
})

test('CP10 CP11: what a foreign log may do and a capsule may not', () => {
  const origin = formatOrigin(NAME, MAIN_BRANCH)
  const keyOfLog: NoteKey = { name: origin, type: NOTE_ED25519, key: WRITER.publicKey }
  const empty = signedText(formatCheckpointText(origin, 0, EMPTY_ROOT))
  const extended = signedText(`${formatCheckpointText(origin, 3, ROOT)}extension 1\nextension 2\n`)
  for (const note of [empty, extended]) {
    assert.throws(() => openCheckpoint(note, { writerKey }), { code: 'CHECKPOINT_INVALID' })
    openForeignCheckpoint(note, origin, keyOfLog)
  }
  const foreign = openForeignCheckpoint(extended, origin, keyOfLog)
  assert.deepEqual(foreign.extensions, ['extension 1', 'extension 2'])
  assert.equal(foreign.size, 3)
  const withRoot = signedText(formatCheckpointText(origin, 0, ROOT))
  const openEmpty = (): unknown => openForeignCheckpoint(withRoot, origin, keyOfLog)
  assert.throws(openEmpty, { code: 'CHECKPOINT_INVALID' })

  const elsewhere = (): unknown => openForeignCheckpoint(extended, 'log.example', keyOfLog)
  assert.throws(elsewhere, { code: 'NAME_MISMATCH' })
  const unknown = { ...keyOfLog, name: 'log.example' }
  const unsigned = (): unknown => openForeignCheckpoint(extended, origin, unknown)
  assert.throws(unsigned, { code: 'BAD_SIGNATURE' })
  // A cosigner alone is not the log.
  const { text } = parseNote(extended)
  const orphaned = formatNote({ text, signatures: [witnessText(text, 77)] })
  const openOrphan = (): unknown => openForeignCheckpoint(orphaned, origin, keyOfLog, [WITNESS_KEY])
  assert.throws(openOrphan, { code: 'BAD_SIGNATURE' })
})

test('CP10: an origin that is no capsule, and two signatures by the writer', () => {
  const open = (note: string): unknown => openCheckpoint(note, { writerKey })
  const code = 'CHECKPOINT_INVALID'
  const origin = formatOrigin(NAME, MAIN_BRANCH)
  for (const wrong of [
    'log.example',
    'longshore/',
    `${origin}/`,
    `${origin}/x`,
    origin.toUpperCase(),
  ]) {
    assert.throws(() => open(signedText(formatCheckpointText(wrong, 3, ROOT))), { code }, wrong)
  }
  assert.throws(() => open(signedText(headText(NAME, HEAD), MAIN_BRANCH, 2)), { code })
})

test('CP7 CP16: cosignatures by expected cosigners are verified, others ignored', () => {
  const cosigned = formatCheckpoint(NAME, HEAD, writerKey, [witnessLine(HEAD, 77)])
  const known = openCheckpoint(cosigned, { writerKey, cosigners: [WITNESS_KEY] })
  assert.equal(known.cosignatures.length, 1)
  assert.equal(known.cosignatures[0]?.timeS, 77)
  assert.equal(known.cosignatures[0]?.key, WITNESS_KEY)
  assert.equal(known.unknown.length, 0)
  const ignored = openCheckpoint(cosigned, { writerKey })
  assert.equal(ignored.cosignatures.length, 0)
  assert.equal(ignored.unknown.length, 1)
  // A cosignature over another head, moved here.
  const moved = formatCheckpoint(NAME, HEAD, writerKey, [witnessLine(BRANCH_HEAD, 77)])
  const openMoved = (): unknown => openCheckpoint(moved, { writerKey, cosigners: [WITNESS_KEY] })
  assert.throws(openMoved, { code: 'BAD_SIGNATURE' })
  // A cosigner alone is not the writer.
  const { text, signatures } = parseNote(cosigned)
  const orphaned = formatNote({ text, signatures: signatures.slice(1) })
  const openOrphan = (): unknown =>
    openCheckpoint(orphaned, { writerKey, cosigners: [WITNESS_KEY] })
  assert.throws(openOrphan, { code: 'BAD_SIGNATURE' })
})

test('CP16: a line that is repeated does not make two signers of one', () => {
  const lines = [70, 80, 80, 75].map((timeS) => witnessLine(HEAD, timeS))
  const note = formatCheckpoint(NAME, HEAD, writerKey, lines)
  const { cosignatures } = openCheckpoint(note, { writerKey, cosigners: [WITNESS_KEY] })
  assert.deepEqual(
    cosignatures.map(({ timeS }) => timeS),
    [80],
  )
  const origin = formatOrigin(NAME, MAIN_BRANCH)
  const keyOfLog: NoteKey = { name: origin, type: NOTE_ED25519, key: WRITER.publicKey }
  const foreign = openForeignCheckpoint(note, origin, keyOfLog, [WITNESS_KEY])
  assert.deepEqual(
    foreign.verified.map(({ key, timeS }) => [key, timeS]),
    [
      [keyOfLog, undefined],
      [WITNESS_KEY, 80],
    ],
  )
  // Every one of them must hold, not only the newest.
  const bad = { ...witnessLine(HEAD, 60), signature: new Uint8Array(72) }
  const spoilt = formatCheckpoint(NAME, HEAD, writerKey, [...lines, bad])
  const open = (): unknown => openCheckpoint(spoilt, { writerKey, cosigners: [WITNESS_KEY] })
  assert.throws(open, { code: 'BAD_SIGNATURE' })
})

test('CP12: the epoch, which nobody signs, is that of the key', () => {
  const relabelled = { ...HEAD, epoch: 1 }
  assert.throws(() => verifyHead(NAME, relabelled, writerKey), { code: 'CHECKPOINT_INVALID' })
  assert.throws(() => verifyHead(NAME, HEAD, writerKey, 1), { code: 'CHECKPOINT_INVALID' })
  verifyHead(NAME, relabelled, writerKey, 1)
  const note = formatCheckpoint(NAME, relabelled, writerKey)
  assert.deepEqual(openCheckpoint(note, { writerKey, epoch: 1 }).head, relabelled)
})

test('CP12: a writer never signs an empty tree', () => {
  const empty = { name: NAME, branch: MAIN_BRANCH, epoch: 0, size: 0, root: EMPTY_ROOT }
  assert.throws(() => signHead(empty, WRITER), { name: 'AssertionFailure' })
  const forged = { ...empty, signature: WRITER.sign(encodeUtf8(headText(NAME, empty))) }
  assert.throws(() => verifyHead(NAME, forged, writerKey), { code: 'CHECKPOINT_INVALID' })
})

test('CP13: the compact head, byte by byte', () => {
  const bytes = encodeHead(HEAD)
  const expected = `85400003${'5820'}${formatHex(ROOT)}${'5840'}${formatHex(HEAD.signature)}`
  assert.equal(formatHex(bytes), expected)
  assert.deepEqual(decodeHead(bytes), HEAD)
  const later: Head = { ...BRANCH_HEAD, epoch: 70_000, size: Number.MAX_SAFE_INTEGER }
  assert.deepEqual(decodeHead(encodeHead(later)), later)
})

test('CP13: bytes that are too many for a compact head are not read', () => {
  assert.throws(() => decodeHead(new Uint8Array(2_585)), {
    code: 'CHECKPOINT_INVALID',
    message: /shorter/,
  })
})

test('CP13: no other bytes are a compact head', () => {
  const bytes = encodeHead(HEAD)
  const hex = formatHex(bytes)
  const wrong = [
    '',
    hex.slice(0, -2),
    `${hex}00`,
    hex.replace(/^85/, '84'),
    hex.replace(/^8540/, '8541ff'),
    hex.replace(/^85400003/, '8540000300'),
    hex.replace(/^85400003/, '8540001803'),
    hex.replace(/^85400003/, '8540000f'.replace('0f', '20')),
    hex.replace(/^85400003/, '85400000'),
    hex.replace(/^85400003/, '8540f603'),
    hex.replace(/^85400003/, '85401b000000010000000003'),
    hex.replace(/^85/, '9f') + 'ff',
  ]
  for (const altered of wrong) {
    const decode = (): unknown => decodeHead(parseHex(altered) as Uint8Array)
    assert.throws(decode, { code: 'CHECKPOINT_INVALID' }, altered)
  }
  const empty = encodeHead({ ...HEAD, size: 0, root: EMPTY_ROOT })
  assert.throws(() => decodeHead(empty), { code: 'CHECKPOINT_INVALID' })
  const long = new Uint8Array(1_000_000)
  assert.throws(() => decodeHead(long), { code: 'CHECKPOINT_INVALID' })
  let decoded = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << (bit & 7)))
    try {
      const head = decodeHead(flipped)
      decoded++
      if (head.epoch !== HEAD.epoch) continue
      assert.throws(() => verifyHead(NAME, head, writerKey), { code: 'BAD_SIGNATURE' })
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'CHECKPOINT_INVALID')
    }
  }
  assert.ok(decoded > 96 * 8 - 1, 'most flips are in root and signature')
})

test('CP17: a heartbeat is a cosignature by the writer of its own checkpoint', () => {
  const heartbeat = createHeartbeat(NAME, HEAD, 1_700_000_000, WRITER)
  verifyHeartbeat(NAME, HEAD, heartbeat, writerKey)
  const refused = { code: 'BAD_SIGNATURE' }
  const later = { ...heartbeat, timeS: 1_700_000_001 }
  assert.throws(() => verifyHeartbeat(NAME, HEAD, later, writerKey), refused)
  assert.throws(() => verifyHeartbeat(OTHER_NAME, HEAD, heartbeat, writerKey), refused)
  assert.throws(() => verifyHeartbeat(NAME, BRANCH_HEAD, heartbeat, writerKey), refused)
  assert.throws(() => verifyHeartbeat(NAME, HEAD, heartbeat, STRANGER.key), refused)
  assert.throws(
    () => verifyHead(NAME, { ...HEAD, signature: heartbeat.signature }, writerKey),
    refused,
  )

  const lines = [1_700_000_005, 1_700_000_000].flatMap((timeS) =>
    heartbeatLines(NAME, MAIN_BRANCH, createHeartbeat(NAME, HEAD, timeS, WRITER), writerKey),
  )
  const note = formatCheckpoint(NAME, HEAD, writerKey, lines)
  assert.equal(openCheckpoint(note, { writerKey }).heartbeatS, 1_700_000_005)
  const moved = formatCheckpoint(NAME, { ...BRANCH_HEAD }, writerKey, [
    ...heartbeatLines(NAME, BRANCH, heartbeat, writerKey),
  ])
  assert.throws(() => openCheckpoint(moved, { writerKey }), refused)
  // A heartbeat does not replace the signature of the head.
  const { text, signatures } = parseNote(note)
  const headless = formatNote({ text, signatures: signatures.slice(1) })
  assert.throws(() => openCheckpoint(headless, { writerKey }), refused)
})

test('CP8 CP10: one flipped bit anywhere in a checkpoint', () => {
  const note = formatCheckpoint(NAME, HEAD, writerKey)
  const bytes = encodeUtf8(note)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << (bit & 7)))
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(flipped)
    } catch {
      continue
    }
    const open = (): unknown => openCheckpoint(text, { writerKey, name: NAME })
    assert.throws(open, { name: 'VerificationError' }, `bit ${bit}`)
  }
})

test('CP10: a root must be a hash of this type', () => {
  const short = ROOT.slice(0, 31) as Uint8Array as Hash
  const text = formatCheckpointText(formatOrigin(NAME, MAIN_BRANCH), 3, short)
  assert.throws(() => openCheckpoint(signedText(text), { writerKey }), {
    code: 'CHECKPOINT_INVALID',
  })
})
