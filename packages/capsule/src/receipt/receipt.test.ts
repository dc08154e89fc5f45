import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '../bytes/brands.ts'
import { compareBytes, concatBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { formatCheckpoint } from '../checkpoint/checkpoint.ts'
import { cosignatureMessage, encodeTimestampedSignature } from '../checkpoint/cosignature.ts'
import { type Head, headText } from '../checkpoint/head.ts'
import { createHeartbeat } from '../checkpoint/heartbeat.ts'
import type { NoteSignature } from '../checkpoint/note.ts'
import { NOTE_COSIGNATURE, noteKeyId } from '../checkpoint/note-key.ts'
import type { Signer } from '../crypto/signer.ts'
import type { SignedManifest } from '../manifest/manifest.ts'
import { formatCosignerName } from '../name/name.ts'
import { leafHash } from '../tree/testing/reference-tree.ts'
import { createReceipt, type ReceiptParts, verifyReceipt } from './receipt.ts'
import { decodeReceiptExtra, encodeReceiptExtra, type ReceiptExtra } from './receipt-extra.ts'
import {
  entriesOf,
  entryOf,
  eraseEntryOf,
  OTHER_BRANCH,
  principalOf,
  SampleHistory,
  signerOf,
} from './testing/sample-capsule.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'

const { signed: CAPSULE, signers } = principalOf('capsule', 1)
const WRITER = signers.get('writer') as Signer
const OTHER = principalOf('capsule', 11)
const NODE = principalOf('node', 21)
const SECOND_NODE = principalOf('node', 41)
const HISTORY = new SampleHistory(entriesOf(7))
const HEAD = HISTORY.head(CAPSULE, 7, WRITER)

function partsOf(history: SampleHistory, index: number, head: Head): ReceiptParts {
  const { header, body } = history.entries[index] as { header: Uint8Array; body: Uint8Array }
  const path = history.inclusionPath(index, head.size)
  return {
    manifest: CAPSULE.signed,
    header,
    body,
    index,
    head,
    path,
    writerKey: WRITER.key,
  }
}

const PARTS = partsOf(HISTORY, 2, HEAD)
const RECEIPT = createReceipt(PARTS)

/** A receipt put together without any check. */
function forge(
  change: Partial<ReceiptParts & ReceiptExtra>,
  capsule: SignedManifest = CAPSULE,
): string {
  const { manifest, header, index, path, head } = { ...PARTS, ...change }
  const { certs = [], cosigners = [], cosignatures = [] } = change
  const payload = 'payload' in change ? change.payload : PARTS.body
  const extra = encodeReceiptExtra({ manifest, header, payload, certs, cosigners })
  const key = change.writerKey ?? WRITER.key
  const checkpoint = formatCheckpoint(capsule.name, head, key, cosignatures)
  return formatTlogProof({ extra, index, path, checkpoint })
}

/** `node` cosigns a head of `CAPSULE` as mirror or witness. */
function cosignatureOf(
  node: typeof NODE,
  role: 'mirror' | 'witness',
  timeS: number,
  head: Head = HEAD,
): NoteSignature {
  const signer = node.signers.get(role) as Signer
  const keyName = formatCosignerName(node.signed.name, role)
  const keyId = noteKeyId({ name: keyName, type: NOTE_COSIGNATURE, key: signer.publicKey })
  const signature = signer.sign(cosignatureMessage(headText(CAPSULE.name, head), timeS))
  return { keyName, keyId, signature: encodeTimestampedSignature({ timeS, signature }) }
}

test('RC1 RC6 RC7 RC8: a receipt proves entry, place, head, capsule and owner', () => {
  for (const [index, { header, body }] of HISTORY.entries.entries()) {
    for (const size of [index + 1, 7]) {
      const head = HISTORY.head(CAPSULE, size, WRITER)
      const receipt = createReceipt(partsOf(HISTORY, index, head))
      for (const input of [receipt, encodeUtf8(receipt)]) {
        const verified = verifyReceipt(input, { name: CAPSULE.name })
        assert.deepEqual(verified.name, CAPSULE.name)
        assert.deepEqual(verified.owner, signers.get('owner')?.key)
        assert.deepEqual(verified.branch, MAIN_BRANCH)
        assert.equal(verified.index, index)
        assert.deepEqual(verified.head, head)
        assert.deepEqual(verified.headerBytes, header)
        assert.deepEqual(verified.payload, body)
        assert.equal(verified.heartbeatS, undefined)
        assert.deepEqual(verified.unverifiedCosigners, [])
      }
      assert.deepEqual(verifyReceipt(receipt), verifyReceipt(receipt, { name: CAPSULE.name }))
    }
  }
})

test('RC6: another capsule, and manifests that are none', () => {
  const name = OTHER.signed.name
  assert.throws(() => verifyReceipt(RECEIPT, { name }), { code: 'NAME_MISMATCH' })
  // The manifest of another capsule beside a checkpoint of this one.
  const exchanged = forge({ manifest: OTHER.signed.signed })
  assert.throws(() => verifyReceipt(exchanged), { code: 'NAME_MISMATCH' })
  const unsigned = forge({ manifest: CAPSULE.body })
  assert.throws(() => verifyReceipt(unsigned), { code: 'COSE_INVALID' })
  const flipped = CAPSULE.signed.with(-1, (CAPSULE.signed.at(-1) as number) ^ 1)
  assert.throws(() => verifyReceipt(forge({ manifest: flipped })), { code: 'BAD_SIGNATURE' })
  const person = forge({ manifest: principalOf('person', 61).signed.signed })
  assert.throws(() => verifyReceipt(person), { code: 'RECEIPT_INVALID' })
})

test('RC7: heads by a stranger, of another size, root, branch or epoch', () => {
  const stranger = HISTORY.head(CAPSULE, 7, signerOf(99))
  assert.throws(() => verifyReceipt(forge({ head: stranger })), { code: 'BAD_SIGNATURE' })
  const ownLine = forge({ head: stranger, writerKey: signerOf(99).key })
  assert.throws(() => verifyReceipt(ownLine), { code: 'BAD_SIGNATURE' })
  const altered: Head[] = [
    { ...HEAD, size: 8 },
    { ...HEAD, root: HISTORY.root(6) },
    { ...HEAD, branch: OTHER_BRANCH },
  ]
  for (const head of altered) {
    assert.throws(() => verifyReceipt(forge({ head })), { code: 'BAD_SIGNATURE' })
  }
})

test('RC8: another entry, another place, another path', () => {
  const other = HISTORY.entries[3] as { header: Uint8Array; body: Uint8Array }
  const header = forge({ header: other.header, payload: other.body })
  assert.throws(() => verifyReceipt(header), { code: 'ROOT_MISMATCH' })
  for (const index of [0, 1, 3, 4, 5, 6, 7, 8, 2 ** 40]) {
    const refused = { code: /^(ROOT_MISMATCH|PROOF_SHAPE)$/ }
    assert.throws(() => verifyReceipt(forge({ index })), refused, `index ${index}`)
  }
  for (const path of [[], PARTS.path.slice(1), [...PARTS.path, leafHash(0)]]) {
    assert.throws(() => verifyReceipt(forge({ path })), { code: 'PROOF_SHAPE' })
  }
  assert.throws(() => verifyReceipt(forge({ path: PARTS.path.toReversed() })), {
    code: 'ROOT_MISMATCH',
  })
  const padded = forge({ header: concatBytes(PARTS.header, Uint8Array.of(0)) })
  assert.throws(() => verifyReceipt(padded), { code: 'HEADER_INVALID' })
})

test('RC8: a header that may not stand at its place', () => {
  const history = new SampleHistory([...entriesOf(2), eraseEntryOf(0, 2), eraseEntryOf(3, 9)])
  const head = history.head(CAPSULE, 4, WRITER)
  const good = verifyReceipt(createReceipt(partsOf(history, 2, head)))
  assert.equal(good.header.ext.control?.type, 'erase')
  assert.deepEqual(good.payload, new Uint8Array(0))
  assert.throws(() => createReceipt(partsOf(history, 3, head)), { code: 'HEADER_INVALID' })
  // Entry 0 of another branch must say where the branch begins.
  const branch = new SampleHistory(entriesOf(2), OTHER_BRANCH)
  const branchHead = branch.head(CAPSULE, 2, WRITER)
  assert.throws(() => createReceipt(partsOf(branch, 0, branchHead)), { code: 'HEADER_INVALID' })
  const second = verifyReceipt(createReceipt(partsOf(branch, 1, branchHead)))
  assert.deepEqual(second.branch, OTHER_BRANCH)
})

test('RC4: the payload of the entry, none, or a large one beside the receipt', () => {
  const code = 'PAYLOAD_MISMATCH'
  for (const payload of [new Uint8Array(0), encodeUtf8('entry 3'), encodeUtf8('entry 22')]) {
    assert.throws(() => verifyReceipt(forge({ payload })), { code })
  }
  const { body, ...bare } = PARTS
  assert.equal(verifyReceipt(createReceipt(bare)).payload, undefined)
  assert.notEqual(verifyReceipt(createReceipt({ ...bare, body: body as Uint8Array })), undefined)

  const blinded = entryOf(encodeUtf8('secret'), 1)
  const [fits, large] = [65_536, 65_537].map((byteLength) => entryOf(new Uint8Array(byteLength)))
  const entries = [blinded, fits as typeof blinded, large as typeof blinded]
  const history = new SampleHistory(entries)
  const head = history.head(CAPSULE, 3, WRITER)
  const payloadOf = (index: number): Uint8Array | undefined =>
    verifyReceipt(createReceipt(partsOf(history, index, head))).payload
  assert.deepEqual(payloadOf(0), encodeUtf8('secret'))
  assert.deepEqual(payloadOf(1), new Uint8Array(65_536))
  assert.equal(payloadOf(2), undefined)
})

test('RC2: bytes that are no text, and files that are too long', () => {
  const code = 'RECEIPT_INVALID'
  for (const bytes of [new Uint8Array(0), Uint8Array.of(0xff), new Uint8Array(262_145)]) {
    assert.throws(() => verifyReceipt(bytes), { code })
  }
  assert.throws(() => verifyReceipt('\ud800'), { code })
  assert.throws(() => verifyReceipt('é'.repeat(140_000)), { code })
  const parsed = parseTlogProof(RECEIPT)
  assert.throws(() => verifyReceipt(formatTlogProof({ ...parsed, extra: undefined })), { code })
  assert.throws(() => verifyReceipt(`\ufeff${RECEIPT}`), { code })
  assert.throws(() => verifyReceipt(RECEIPT.replaceAll('\n', '\r\n')), { code })
  assert.throws(() => verifyReceipt(`${RECEIPT}\n`), { code: 'NOTE_INVALID' })
  assert.equal(formatTlogProof(parsed), RECEIPT)
  const extra = decodeReceiptExtra(parsed.extra as Uint8Array)
  assert.deepEqual(encodeReceiptExtra(extra), parsed.extra)
})

test('RC7: certificates of another writer key that are none', () => {
  for (const certs of [[Uint8Array.of(1, 2, 3)], [new Uint8Array(0), new Uint8Array(9)]]) {
    assert.throws(() => verifyReceipt(forge({ certs })), { code: 'CERT_INVALID' })
  }
})

test('RC9: the newest heartbeat of the writer is reported', () => {
  const heartbeat = createHeartbeat(CAPSULE.name, HEAD, 1_767_225_700, WRITER)
  const receipt = createReceipt({ ...PARTS, heartbeat })
  assert.equal(verifyReceipt(receipt).heartbeatS, 1_767_225_700)
  const later = { ...heartbeat, timeS: 1_767_225_701 }
  assert.throws(() => createReceipt({ ...PARTS, heartbeat: later }), { code: 'BAD_SIGNATURE' })
  const ofAnother = createHeartbeat(CAPSULE.name, HEAD, 1_767_225_700, signerOf(99))
  const forged = { ...PARTS, heartbeat: ofAnother }
  assert.throws(() => createReceipt(forged), { code: 'BAD_SIGNATURE' })
})

test('RC10: cosigners are reported as unverified, others ignored', () => {
  const nodes = [NODE, SECOND_NODE].toSorted((a, b) => compareBytes(a.signed.name, b.signed.name))
  const cosigners = nodes.map((node) => ({ manifest: node.signed.signed, certs: [] }))
  const cosignatures = [
    cosignatureOf(NODE, 'witness', 50),
    cosignatureOf(SECOND_NODE, 'mirror', 60),
  ]
  const verified = verifyReceipt(createReceipt({ ...PARTS, cosignatures, cosigners }))
  assert.deepEqual(verified.unverifiedCosigners, [
    { name: NODE.signed.name, role: 'witness', timeS: 50 },
    { name: SECOND_NODE.signed.name, role: 'mirror', timeS: 60 },
  ])
  const unnamed = verifyReceipt(createReceipt({ ...PARTS, cosignatures }))
  assert.deepEqual(unnamed.unverifiedCosigners, [])

  const refuse = (change: Partial<ReceiptParts>, code: string): void => {
    assert.throws(() => verifyReceipt(forge(change)), { code })
  }
  refuse({ cosignatures, cosigners: cosigners.toReversed() }, 'RECEIPT_INVALID')
  refuse({ cosigners: [...cosigners, ...cosigners] }, 'RECEIPT_INVALID')
  refuse({ cosigners: [{ manifest: CAPSULE.signed, certs: [] }] }, 'RECEIPT_INVALID')
  refuse({ cosigners: [{ manifest: NODE.signed.body, certs: [] }] }, 'COSE_INVALID')
  const ofAnother = cosignatureOf(NODE, 'witness', 50, HISTORY.head(CAPSULE, 6, WRITER))
  refuse({ cosignatures: [ofAnother], cosigners }, 'BAD_SIGNATURE')
  // The mirror key must not sign as witness.
  const asMirror = cosignatureOf(NODE, 'mirror', 50)
  const witnessKeyId = cosignatureOf(NODE, 'witness', 50).keyId
  const witnessName = formatCosignerName(NODE.signed.name, 'witness')
  const mixed = { ...asMirror, keyName: witnessName, keyId: witnessKeyId }
  refuse({ cosignatures: [mixed], cosigners }, 'BAD_SIGNATURE')
})

test('RC10: a node that cosigned more than once is reported once, with its newest time', () => {
  const cosigners = [{ manifest: NODE.signed.signed, certs: [] }]
  const cosignatures = [50, 52, 52, 51].map((timeS) => cosignatureOf(NODE, 'witness', timeS))
  const { unverifiedCosigners } = verifyReceipt(
    createReceipt({ ...PARTS, cosignatures, cosigners }),
  )
  assert.deepEqual(unverifiedCosigners, [{ name: NODE.signed.name, role: 'witness', timeS: 52 }])
})

test('RC11: every bit of a receipt, flipped', () => {
  const bytes = encodeUtf8(RECEIPT)
  let refused = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << (bit & 7)))
    assert.throws(() => verifyReceipt(flipped), { name: 'VerificationError' }, `bit ${bit}`)
    refused++
  }
  assert.equal(refused, bytes.length * 8)
})

test('RC5 RC11: with lines that anybody may add, a changed receipt says no more', () => {
  const heartbeat = createHeartbeat(CAPSULE.name, HEAD, 1_767_225_700, WRITER)
  const cosigners = [{ manifest: NODE.signed.signed, certs: [Uint8Array.of(1, 2, 3)] }]
  const cosignatures = [cosignatureOf(NODE, 'mirror', 50), cosignatureOf(SECOND_NODE, 'mirror', 60)]
  const receipt = createReceipt({ ...PARTS, heartbeat, cosignatures, cosigners })
  const { heartbeatS, unverifiedCosigners, leftOut, ...proven } = verifyReceipt(receipt)
  assert.deepEqual(
    leftOut.map(({ error }) => error.code),
    ['CERT_CHAIN'],
  )
  const bytes = encodeUtf8(receipt)
  // One bit of each byte, another one from byte to byte.
  for (const [at, byte] of bytes.entries()) {
    const flipped = bytes.with(at, byte ^ (1 << (at % 8)))
    let verified: ReturnType<typeof verifyReceipt>
    try {
      verified = verifyReceipt(flipped)
    } catch (error) {
      assert.equal((error as Error).name, 'VerificationError', `byte ${at}: ${error}`)
      continue
    }
    const { heartbeatS: time, unverifiedCosigners: nodes, leftOut: lacking, ...rest } = verified
    assert.equal(lacking.length, 1)
    assert.deepEqual(rest, proven)
    assert.ok(time === heartbeatS || time === undefined)
    assert.ok(nodes.length === 0 || nodes[0]?.timeS === unverifiedCosigners[0]?.timeS)
  }
})

test('RC12: a receipt that does not verify is not made', () => {
  const wrong: Partial<ReceiptParts>[] = [
    { index: 3 },
    { body: encodeUtf8('entry 3') },
    { path: [] },
    { writerKey: signerOf(99).key },
    { head: { ...HEAD, size: 6 } },
    { manifest: OTHER.signed.signed },
  ]
  for (const change of wrong) {
    const create = (): string => createReceipt({ ...PARTS, ...change })
    assert.throws(create, { name: 'VerificationError' })
  }
})
