import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName } from '../bytes/brands.ts'
import { sha256 } from '../crypto/sha256.ts'
import { createSigner } from '../crypto/signer.ts'
import { isLongshoreError } from '../errors.ts'
import {
  encodeManifest,
  type Manifest,
  manifestKey,
  openManifest,
  signManifest,
} from './manifest.ts'

const owner = createSigner(new Uint8Array(32).fill(1))
const writer = createSigner(new Uint8Array(32).fill(2))

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
  labels: { data: 'flights', __proto__x: 'odd' },
  crit: [],
  ext: new Map(),
}

test('MF9 NM1 SG13: every change of every byte of a signed manifest is refused', () => {
  const { signed, name, body } = signManifest(manifest, owner)
  assert.deepEqual(name, asCapsuleName(sha256(body)))
  let changes = 0
  for (let at = 0; at < signed.length; at++) {
    for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
      const changed = signed.slice()
      changed[at]! ^= bit
      assert.throws(() => openManifest(changed), isLongshoreError)
      changes++
    }
    assert.throws(() => openManifest(signed.subarray(0, at)), isLongshoreError)
  }
  assert.equal(changes, signed.length * 8)
})

test('MF9: a reader that asked for a name refuses another capsule', () => {
  const { signed, name } = signManifest(manifest, owner)
  assert.deepEqual(openManifest(signed, name).manifest, manifest)
  const other = asCapsuleName(sha256(name))
  assert.throws(() => openManifest(signed, other), { code: 'NAME_MISMATCH' })
})

test('MF2 SG9 SG13: keys have one role, and only the owner signs', () => {
  const twice = {
    ...manifest,
    keys: manifest.keys.map(({ use }) => ({ alg: 'ed25519' as const, key: owner.publicKey, use })),
  }
  assert.throws(() => encodeManifest(twice), { code: 'USAGE' })
  assert.throws(() => signManifest(manifest, writer), { code: 'KEY_MISSING' })
  const person = { ...manifest, type: 'person' as const, keys: manifest.keys.slice(0, 1) }
  assert.throws(() => manifestKey(person, 'writer'), { code: 'MANIFEST_INVALID' })
})

test('MF8: labels are part of the name, and an empty map of labels is no second spelling', () => {
  const named = signManifest(manifest, owner)
  const relabelled = signManifest({ ...manifest, labels: { data: 'trains' } }, owner)
  assert.notDeepEqual(named.name, relabelled.name)
  const empty = new Map([['labels', new Map()]])
  assert.throws(() => encodeManifest({ ...manifest, labels: {}, ext: empty }), { code: 'USAGE' })
})

test('MF8: labels are data, whatever their keys, and never come from ext', () => {
  const labels = JSON.parse('{"__proto__": "a", "constructor": "b", "2": "c", "1": "d"}')
  const { signed, body } = signManifest({ ...manifest, labels }, owner)
  const opened = openManifest(signed).manifest
  assert.deepEqual(Object.entries(opened.labels).toSorted(), Object.entries(labels).toSorted())
  assert.deepEqual(encodeManifest(opened), body)
  const ext = new Map([['labels', new Map([['data', 'trains']])]])
  assert.throws(() => encodeManifest({ ...manifest, ext }), { code: 'USAGE' })
})

test('MF1 MF5: crit is sorted and unique, and whatever is in it is not understood', () => {
  for (const [crit, code] of [
    [['a'], 'CRIT_UNKNOWN'],
    [['a', 'b'], 'CRIT_UNKNOWN'],
    [['z', '\u{10000}'], 'CRIT_UNKNOWN'],
    [['b', 'a'], 'MANIFEST_INVALID'],
    [['a', 'a'], 'MANIFEST_INVALID'],
    [['\u{10000}', '\uffff'], 'MANIFEST_INVALID'],
  ] as const) {
    const refusal = { code: 'USAGE', cause: { code } }
    const encode = (): unknown => encodeManifest({ ...manifest, crit })
    assert.throws(encode, (error: { code: string; cause: { code: string } }) => {
      assert.deepEqual({ code: error.code, cause: { code: error.cause.code } }, refusal)
      return true
    })
  }
})

test('MF9: what was opened stays as it is, also if it came in a Buffer', () => {
  const given = signManifest(manifest, owner)
  const bytes = Buffer.from(given.signed)
  const opened = openManifest(bytes)
  bytes.fill(0)
  assert.deepEqual(opened, given)
})

test('MF7: an oversized manifest is refused before anything is decoded', () => {
  const ext = new Map([['x', 'x'.repeat(16_400)]])
  assert.throws(() => encodeManifest({ ...manifest, ext }), { code: 'MANIFEST_TOO_LARGE' })
  assert.throws(() => openManifest(new Uint8Array(100_000)), { code: 'MANIFEST_INVALID' })
})
