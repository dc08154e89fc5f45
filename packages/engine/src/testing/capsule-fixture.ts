/**
 * A real capsule for tests: keys from the seed, a signed manifest, nothing in it.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  type Manifest,
  type Policy,
  SEED_BYTES,
  type Signer,
  signManifest,
} from '@longshore/capsule'
import type { ManifestOp } from './branch-fixture.ts'
import type { Prng } from './prng.ts'

export interface CapsuleFixture {
  readonly name: CapsuleName
  readonly owner: Signer
  readonly writer: Signer
  readonly manifest: ManifestOp
}

export function createCapsuleFixture(prng: Prng, policy: Partial<Policy> = {}): CapsuleFixture {
  const owner = createSigner(prng.bytes(SEED_BYTES))
  const writer = createSigner(prng.bytes(SEED_BYTES))
  const manifest: Manifest = {
    type: 'capsule',
    version: 1,
    keys: [
      { alg: 'ed25519', key: owner.publicKey, use: 'owner' },
      { alg: 'ed25519', key: writer.publicKey, use: 'writer' },
    ],
    mode: 'strict',
    nonce: prng.bytes(16),
    timeUs: 0,
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: [], ...policy },
    blind: false,
    authority: null,
    labels: {},
    crit: [],
    ext: new Map(),
  }
  const { name, signed } = signManifest(manifest, owner)
  return { name, owner, writer, manifest: { type: 'manifest', name, signed } }
}
