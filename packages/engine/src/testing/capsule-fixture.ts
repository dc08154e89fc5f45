/**
 * A real capsule for tests: keys from the seed, a signed manifest, nothing in it.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  type Manifest,
  manifestKeysOf,
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

export function createCapsuleFixture(
  prng: Prng,
  policy: Partial<Policy> = {},
  isPostQuantum = false,
): CapsuleFixture {
  const createKey = (): Signer =>
    isPostQuantum
      ? createSigner(prng.bytes(SEED_BYTES), prng.bytes(SEED_BYTES))
      : createSigner(prng.bytes(SEED_BYTES))
  const [owner, writer] = [createKey(), createKey()]
  const manifest: Manifest = {
    type: 'capsule',
    version: 1,
    keys: [...manifestKeysOf(owner, 'owner'), ...manifestKeysOf(writer, 'writer')],
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
