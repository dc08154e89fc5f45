/**
 * ML-DSA-44 on every back end, against vectors/ml-dsa-44.json and against each other.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asRoleKey,
  createSigner,
  decodeMlDsa44PublicKey,
  encodeUtf8,
  isLongshoreError,
  parseHex,
  roleKeysEqual,
  signingContextBytes,
} from '@longshore/capsule'
import type { CryptoBackend } from '../packages/capsule/src/crypto/crypto-backend.ts'
import { verifyMlDsa44With } from '../packages/capsule/src/crypto/ml-dsa-44.ts'
import { backend as browserBackend } from '../packages/capsule/src/platform/browser/crypto.ts'
import { backend as nodeBackend } from '../packages/capsule/src/platform/node/crypto.ts'
import { opensslBackend } from '../packages/capsule/src/platform/node/openssl-crypto.ts'
import { readVectors } from './read-vectors.ts'

/** node:crypto stands behind both of the back ends of Node, noble behind the other. */
const BACKENDS = [nodeBackend, opensslBackend, browserBackend]

interface MlDsaCase {
  readonly id: string
  readonly valid: boolean
  readonly code?: string
  readonly seed?: string
  readonly key: string
  readonly message: string
  readonly signature: string
}

const CASES = readVectors<MlDsaCase>('ml-dsa-44')

const bytesOf = (hex: string): Uint8Array => parseHex(hex) as Uint8Array

function verdictOf(crypto: CryptoBackend, { key, message, signature }: MlDsaCase): string {
  try {
    const decoded = decodeMlDsa44PublicKey(bytesOf(key))
    verifyMlDsa44With(crypto, decoded, bytesOf(message), bytesOf(signature))
    return 'accepted'
  } catch (error) {
    if (isLongshoreError(error)) return error.code
    throw error
  }
}

test('SG14: every back end gives the verdict of every vector', () => {
  assert.ok(CASES.some(({ id }) => id.startsWith('hint-')))
  for (const crypto of BACKENDS) {
    for (const vector of CASES) {
      const expected = vector.valid ? 'accepted' : vector.code
      assert.equal(verdictOf(crypto, vector), expected, `${crypto.name}: ${vector.id}`)
    }
  }
})

test('SG14: every back end makes the same key of a seed, and the key of the vectors', () => {
  const seeded = CASES.filter(({ seed }) => seed !== undefined)
  assert.ok(seeded.length > 0)
  for (const { seed = '', key, id } of seeded) {
    for (const crypto of BACKENDS) {
      const { publicKey } = crypto.createMlDsa44Key(bytesOf(seed))
      assert.deepEqual([...publicKey], [...bytesOf(key)], `${crypto.name}: ${id}`)
    }
  }
})

test('SG15: what one back end signs all accept, hedged or not', () => {
  const seed = new Uint8Array(32).fill(6)
  const message = encodeUtf8('a message')
  for (const signer of BACKENDS) {
    const key = signer.createMlDsa44Key(seed)
    for (const signature of [key.sign(message), key.sign(message)]) {
      for (const crypto of BACKENDS) {
        verifyMlDsa44With(crypto, key.publicKey, message, signature)
        const other = encodeUtf8('another message')
        assert.throws(() => verifyMlDsa44With(crypto, key.publicKey, other, signature), {
          code: 'BAD_SIGNATURE',
        })
      }
    }
  }
  const { sign } = browserBackend.createMlDsa44Key(seed)
  assert.deepEqual(sign(message), sign(message), 'deterministic without randomness')
})

test('SG14: a signing key keeps its own copy of the seed', () => {
  for (const crypto of BACKENDS) {
    const seed = new Uint8Array(32).fill(5)
    const key = crypto.createMlDsa44Key(seed)
    seed.fill(0)
    const message = encodeUtf8('x')
    verifyMlDsa44With(crypto, key.publicKey, message, key.sign(message))
  }
})

test('SG7 SG16: a signer of two keys, each for messages of a context only', () => {
  const seeds = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const
  const signer = createSigner(...seeds)
  assert.ok(signer.mlDsa44 !== undefined)
  assert.equal(signer.mlDsa44.sign(signingContextBytes('subtree')).length, 2420)
  assert.throws(() => signer.mlDsa44?.sign(encodeUtf8('please sign this')), /signing context/)

  const single = createSigner(seeds[0])
  assert.equal(single.mlDsa44, undefined)
  assert.ok(roleKeysEqual(signer.key, createSigner(...seeds).key))
  assert.ok(!roleKeysEqual(signer.key, single.key) && !roleKeysEqual(single.key, signer.key))
  assert.ok(roleKeysEqual(single.key, asRoleKey(signer.publicKey)))
  const [ed25519, mlDsa44] = seeds
  assert.ok(!roleKeysEqual(signer.key, createSigner(mlDsa44, mlDsa44).key))
  assert.ok(!roleKeysEqual(signer.key, createSigner(ed25519, ed25519).key))
})
