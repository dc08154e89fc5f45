/**
 * Signed manifests against vectors/manifest.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  createSigner,
  encodeManifest,
  formatName,
  type Manifest,
  manifestKey,
  openManifest,
  parseName,
  signManifest,
} from '@longshore/capsule'
import { describeCbor } from './describe-cbor.ts'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface ManifestFields {
  readonly signed: string
  readonly body: string
  readonly name?: string
  readonly owner: string
  readonly manifest: { readonly ext: unknown; readonly [key: string]: unknown }
}

const cases = readVectors<ManifestFields>('manifest')
const valid = cases.filter((vector) => vector.valid)

/** The seed of the vectors' owner key; see make/keys.mjs. */
const OWNER_SEED: Uint8Array = new Uint8Array(
  createHash('sha256').update('longshore vectors key owner 0').digest(),
)

const namesOf = (list: 'any' | readonly Uint8Array[]): unknown =>
  list === 'any' ? list : list.map(hexOf)

/** A manifest with the keys of its encoded map; labels are checked apart. */
function describeManifest(manifest: Manifest): Record<string, unknown> {
  const { policy } = manifest
  return {
    authority: manifest.authority === null ? null : hexOf(manifest.authority),
    blind: manifest.blind,
    crit: manifest.crit,
    crypto: 'sha256-ed25519',
    keys: manifest.keys.map(({ alg, key, use }) => ({ alg, key: hexOf(key), use })),
    mode: manifest.mode,
    nonce: hexOf(manifest.nonce),
    policy: {
      carry: namesOf(policy.carry),
      copies: policy.copies,
      exclude: policy.exclude.map(hexOf),
      hold: namesOf(policy.hold),
      read: namesOf(policy.read),
    },
    t: manifest.type,
    time: manifest.timeUs,
    v: manifest.version,
  }
}

test('MF1 MF2 MF3 MF8 NM1: manifests of the vectors open to their fields, name and owner', () => {
  checkCases(valid, (vector) => {
    const opened = openManifest(bytesOf(vector.signed))
    assert.equal(hexOf(opened.body), vector.body)
    assert.equal(formatName(opened.name), vector.name)
    assert.equal(hexOf(manifestKey(opened.manifest, 'owner').ed25519), vector.owner)
    const { ext, ...fields } = vector.manifest
    assert.deepEqual(describeManifest(opened.manifest), fields)
    const described = describeExtension(opened.manifest)
    assert.deepEqual(described, ext)
  })
})

/** Labels and application keys together are the map `ext` of the body. */
function describeExtension({ ext, labels }: Manifest): unknown {
  const all = new Map(ext)
  const pairs = Object.entries(labels)
  if (pairs.length > 0 && !all.has('labels')) all.set('labels', new Map(pairs))
  const described = describeCbor(all) as { map: [string, unknown][] }
  return { map: described.map.sort(([a], [b]) => compareKeys(a, b)).map(sortLabels) }
}

function compareKeys(a: string, b: string): number {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.length - second.length || Buffer.compare(first, second)
}

function sortLabels([key, value]: [string, unknown]): [string, unknown] {
  if (key !== 'labels') return [key, value]
  const { map } = value as { map: [string, unknown][] }
  return [key, { map: map.sort(([a], [b]) => compareKeys(a, b)) }]
}

test('MF4 SG10 SG11: encoding and signing again gives the same bytes', () => {
  const owner = createSigner(OWNER_SEED)
  checkCases(valid, (vector) => {
    const { manifest } = openManifest(bytesOf(vector.signed))
    assert.equal(hexOf(encodeManifest(manifest)), vector.body)
    const signed = signManifest(manifest, owner)
    assert.equal(hexOf(signed.signed), vector.signed)
    assert.equal(formatName(signed.name), vector.name)
  })
})

test('MF5 MF6 MF7 MF9 SG12 SG13: every other manifest is refused', () => {
  checkCases(
    cases.filter((vector) => !vector.valid),
    (vector) => {
      const expected = vector.name === undefined ? undefined : parseName(vector.name)
      assertRefused(vector, () => openManifest(bytesOf(vector.signed), expected))
    },
  )
})
