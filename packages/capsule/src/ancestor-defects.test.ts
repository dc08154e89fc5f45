/**
 * Defects that were found in earlier data capsules and logs, one test each: every one of them must
 * be refused here. (A tenth, acknowledging before the disk has synced, is the store's to refuse:
 * its order of syncs is tested there.)
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, asHash, type Hash, MAIN_BRANCH } from './bytes/brands.ts'
import { formatCheckpoint, openCheckpoint } from './checkpoint/checkpoint.ts'
import { signHead } from './checkpoint/head.ts'
import { createHeartbeat, verifyHeartbeat } from './checkpoint/heartbeat.ts'
import { sha256 } from './crypto/sha256.ts'
import { createSigner } from './crypto/signer.ts'
import { createBody, openBody } from './entry/body.ts'
import { encodeHeader } from './entry/header.ts'
import { type Header, NO_EXTENSION } from './entry/header-form.ts'
import { isLongshoreError } from './errors.ts'
import { encodeManifest, type Manifest, openManifest, signManifest } from './manifest/manifest.ts'
import { verifyConsistency } from './proof/verify-consistency.ts'
import { encodePackage, provePackage, verifyPackage } from './receipt/entry-package.ts'
import { hashLeaf, hashNode } from './tree/hash.ts'

const owner = createSigner(new Uint8Array(32).fill(1))
const writer = createSigner(new Uint8Array(32).fill(2))
const text = new TextEncoder()

const manifest: Manifest = {
  type: 'capsule',
  version: 1,
  keys: [
    { alg: 'ed25519', key: owner.publicKey, use: 'owner' },
    { alg: 'ed25519', key: writer.publicKey, use: 'writer' },
  ],
  mode: 'strict',
  nonce: new Uint8Array(16).fill(5),
  timeUs: 1_700_000_000_000_000,
  policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: [] },
  blind: false,
  authority: null,
  labels: {},
  crit: [],
  ext: new Map(),
}
const { name, signed } = signManifest(manifest, owner)

const payload = text.encode('temperature 21')
const header: Header = {
  kind: 0,
  timeUs: 1_700_000_000_000_000,
  payloadBytes: payload.length,
  payloadHash: sha256(payload),
  pointers: [{ capsule: name, branch: MAIN_BRANCH, index: 7, leafHash: asHash(sha256(signed)) }],
  ext: { ...NO_EXTENSION, app: new Map([['example.com/cipher', 'none']]) },
}

test('PR2 PR7: an entry whose predecessor was never compared is no continuation', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((leaf) => hashLeaf(text.encode(leaf))) as [Hash, Hash, Hash]
  const older = { oldSize: 1, oldRoot: a, newSize: 2 }
  verifyConsistency({ ...older, newRoot: hashNode(a, b), path: [b] })
  const other = { ...older, newRoot: hashNode(c, b), path: [b] }
  assert.throws(() => verifyConsistency(other), { code: 'ROOT_MISMATCH' })
})

test('PK7: of an append of many entries every single one is checked', () => {
  const headers = Array.from({ length: 5 }, (_, i) => encodeHeader({ ...header, timeUs: i }))
  const leaves = headers.map(hashLeaf) as [Hash, Hash, Hash, Hash, Hash]
  const left = hashNode(hashNode(leaves[0], leaves[1]), hashNode(leaves[2], leaves[3]))
  const target = { start: 0, end: 5, size: 5, root: hashNode(left, leaves[4]) }
  const noTiles = { tile: () => assert.fail('a whole tree needs no proof') }
  const path = provePackage(noTiles, target, 5)
  const verify = (list: readonly Uint8Array[]) =>
    verifyPackage(target, encodePackage({ headers: list, path }), new Uint8Array(0))
  verify(headers)
  for (let changed = 0; changed < headers.length; changed++) {
    const list = headers.with(changed, encodeHeader({ ...header, timeUs: 99 }))
    assert.throws(() => verify(list), { code: 'ROOT_MISMATCH' }, `entry ${changed}`)
  }
})

test('CP4 CP10 MF9: no signature at all is worse than a wrong one, not better', () => {
  const head = signHead(
    { name, branch: MAIN_BRANCH, epoch: 0, size: 1, root: asHash(name) },
    writer,
  )
  const note = formatCheckpoint(name, head, writer.key)
  const expected = { name, writerKey: writer.key }
  openCheckpoint(note, expected)
  const unsigned = note.slice(0, note.indexOf('\n\n') + 2)
  assert.throws(() => openCheckpoint(unsigned, expected), isLongshoreError)
  assert.throws(() => openManifest(encodeManifest(manifest)), { code: 'COSE_INVALID' })
  const zeroed = signed.slice().fill(0, signed.length - 64)
  assert.throws(() => openManifest(zeroed), { code: 'BAD_SIGNATURE' })
})

test('EN1 EN2 TR1: the leaf binds every field: kind, time, size, hash, each part of a pointer', () => {
  const other = asHash(new Uint8Array(32).fill(9))
  const [pointer] = header.pointers
  assert.ok(pointer !== undefined)
  const point = (changed: Partial<typeof pointer>): Partial<Header> => ({
    pointers: [{ ...pointer, ...changed }],
  })
  const changes: readonly Partial<Header>[] = [
    {},
    { kind: 1 },
    { kind: 2 },
    { timeUs: header.timeUs + 1 },
    { payloadBytes: header.payloadBytes + 1 },
    { payloadHash: other },
    { pointers: [] },
    { pointers: [pointer, pointer] },
    point({ capsule: null }),
    point({ capsule: asCapsuleName(other) }),
    point({ branch: asBranchId(other.slice(16)) }),
    point({ index: 8 }),
    point({ leafHash: other }),
    { ext: NO_EXTENSION },
    { ext: { control: null, app: new Map([['example.com/cipher', 'other']]) } },
    { ext: { control: null, app: new Map([['example.com/other', 'none']]) } },
  ]
  const leaves = changes.map((change) => hashLeaf(encodeHeader({ ...header, ...change })).join())
  assert.equal(new Set(leaves).size, changes.length)
})

test('EN8: the data is bound by the header, and checked before anybody gets it', () => {
  const body = createBody(0, payload)
  assert.deepEqual(openBody(header, body), payload)
  const other = text.encode('temperature 99')
  assert.equal(other.length, body.length)
  assert.throws(() => openBody(header, other), { code: 'PAYLOAD_MISMATCH' })
})

test('MF5: nobody who sends data chooses the hash or the signature scheme', () => {
  const suite = text.encode('sha256-ed25519')
  const at = Buffer.from(signed).indexOf(suite)
  assert.ok(at > 0)
  for (const chosen of ['sha1--0-ed25519', 'md5----ed25519', 'none---ed25519']) {
    const changed = signed.slice()
    changed.set(text.encode(chosen).subarray(0, suite.length), at)
    assert.throws(() => openManifest(changed), { code: 'CRYPTO_UNSUPPORTED' })
  }
})

test('CP17: a heartbeat is verified, for this head and this time', () => {
  const head = { branch: MAIN_BRANCH, epoch: 0, size: 1, root: asHash(name) }
  const heartbeat = createHeartbeat(name, head, 1_700_000_000, writer)
  verifyHeartbeat(name, head, heartbeat, writer.key)
  const later = { ...heartbeat, timeS: heartbeat.timeS + 1 }
  assert.throws(() => verifyHeartbeat(name, head, later, writer.key), isLongshoreError)
  const longer = { ...head, size: 2 }
  assert.throws(() => verifyHeartbeat(name, longer, heartbeat, writer.key), isLongshoreError)
})

test('EN8 EN9: equal payloads of blinded entries have different hashes', () => {
  const bodies = [3, 4].map((salt) => createBody(1, payload, new Uint8Array(16).fill(salt)))
  const hashes = bodies.map((body) => sha256(body).join())
  assert.equal(new Set([...hashes, sha256(payload).join()]).size, 3)
})

test('EN2 EN5: a pointer is a whole position and a whole hash', () => {
  const [pointer] = header.pointers
  assert.ok(pointer !== undefined)
  for (const index of [-1, 0.5, 2 ** 53 - 1]) {
    const pointers = [{ ...pointer, index }]
    assert.throws(() => encodeHeader({ ...header, pointers }), { code: 'USAGE' })
  }
  const short = { ...pointer, leafHash: pointer.leafHash.slice(1) as Hash }
  assert.throws(() => encodeHeader({ ...header, pointers: [short] }), { code: 'USAGE' })
})

test('MF2 MF9 NM1: a name is 256 bits over what its owner wrote, and two owners have two', () => {
  assert.equal(name.length, 32)
  const keys = manifest.keys.slice(1)
  assert.throws(() => encodeManifest({ ...manifest, keys }), { code: 'USAGE' })
  const missing = { ...manifest.keys[0], key: undefined } as unknown as Manifest['keys'][number]
  const nobody = { ...manifest, keys: [missing, ...keys] }
  assert.throws(() => encodeManifest(nobody), { code: 'USAGE' })
  const stranger = createSigner(new Uint8Array(32).fill(8))
  const theirs = [{ alg: 'ed25519', key: stranger.publicKey, use: 'owner' } as const, ...keys]
  assert.notDeepEqual(signManifest({ ...manifest, keys: theirs }, stranger).name, name)
  assert.throws(() => signManifest(manifest, stranger), { code: 'KEY_MISSING' })
})
