import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createSigner,
  formatHex,
  manifestKey,
  openManifest,
  parseHex,
  SEED_BYTES,
} from '@longshore/capsule'
import { createNodePrincipal, deriveNodeSeeds } from './node-keys.ts'

const SEED = new Uint8Array(SEED_BYTES).fill(1)
const FACTS = { nonce: new Uint8Array(16).fill(2), timeUs: 1_700_000_000_000_000 }

test('ND1: every key comes from the seed, and no two are alike', () => {
  const seeds = deriveNodeSeeds(SEED)
  // printf 'longshore-node-key/v1\ntls\n' followed by the seed, through sha256sum.
  assert.deepEqual(
    seeds.tls,
    parseHex('7927f104851d3d501f627d7872102d2e4b75e413b1402508b8b3030e71fdd2df'),
  )
  assert.equal(new Set(Object.values(seeds).map(formatHex)).size, 6)
  assert.notDeepEqual(deriveNodeSeeds(SEED.map((byte) => byte + 1)).tls, seeds.tls)
})

test('ND2 ND3: the manifests hang together, and the same facts give the same names', () => {
  const { node, headLog, seeds } = createNodePrincipal(SEED, { ...FACTS, labels: { site: 'a' } })
  const opened = openManifest(node.signed, node.name).manifest
  assert.equal(opened.type, 'node')
  assert.deepEqual(opened.authority, headLog.name)
  assert.deepEqual(opened.labels, { site: 'a' })
  const log = openManifest(headLog.signed, headLog.name).manifest
  assert.equal(log.type, 'capsule')
  assert.equal(log.authority, null)
  assert.deepEqual(manifestKey(log, 'owner'), manifestKey(opened, 'owner'))
  assert.deepEqual(manifestKey(log, 'writer'), createSigner(seeds['head-log']).key)
  assert.deepEqual(manifestKey(opened, 'head-log'), manifestKey(log, 'writer'))
  assert.deepEqual(
    createNodePrincipal(SEED, FACTS).node.name,
    createNodePrincipal(SEED, FACTS).node.name,
  )
})
