/**
 * Ed25519 at its edges against vectors/ed25519.json, for every back end that we ship (F3).
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePublicKey, verifySignature } from '@longshore/capsule'
import type { CryptoBackend } from '../packages/capsule/src/crypto/crypto-backend.ts'
import { verifySignatureWith } from '../packages/capsule/src/crypto/ed25519.ts'
import { backend as browserBackend } from '../packages/capsule/src/platform/browser/crypto.ts'
import { backend as nodeBackend } from '../packages/capsule/src/platform/node/crypto.ts'
import { opensslBackend } from '../packages/capsule/src/platform/node/openssl-crypto.ts'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface Ed25519Fields {
  readonly kind: 'key' | 'signature'
  readonly key: string
  readonly message: string
  readonly signature: string
}

const cases = readVectors<Ed25519Fields>('ed25519')
const BACKENDS: readonly CryptoBackend[] = [nodeBackend, opensslBackend, browserBackend]

test('SG2 SG3: public keys that are not canonical or of small order are refused', () => {
  checkCases(
    cases.filter(({ kind }) => kind === 'key'),
    (vector) => {
      const key = bytesOf(vector.key)
      if (vector.valid) assert.equal(hexOf(decodePublicKey(key)), vector.key)
      else assertRefused(vector, () => decodePublicKey(key))
    },
  )
})

for (const backend of BACKENDS) {
  test(`SG1 SG4 SG5 SG6: ${backend.name} gives the one verdict`, () => {
    checkCases(
      cases.filter(({ kind }) => kind === 'signature'),
      (vector) => {
        const verify = () =>
          verifySignatureWith(
            backend,
            bytesOf(vector.key),
            bytesOf(vector.message),
            bytesOf(vector.signature),
          )
        if (vector.valid) verify()
        else assertRefused(vector, verify)
      },
    )
  })
}

test('SG1: what the package exports decides like its back ends', () => {
  checkCases(
    cases.filter(({ kind }) => kind === 'signature'),
    (vector) => {
      const verify = () => {
        const key = decodePublicKey(bytesOf(vector.key))
        verifySignature(key, bytesOf(vector.message), bytesOf(vector.signature))
      }
      if (vector.valid) verify()
      else assertRefused(vector, verify)
    },
  )
})
