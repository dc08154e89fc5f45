/**
 * Signing with the keys of one role.
 *
 * A signer refuses messages of no signing context: no key signs bytes that a peer chose (F2). If
 * the role has an ML-DSA-44 key, every format signs with both. Rules SG7, SG15 and SG16 of
 * docs/spec/signing.md.
 *
 * @module
 */
import { backend } from '#crypto'
import { assert } from '../assert.ts'
import {
  asMlDsa44PublicKey,
  asMlDsa44Signature,
  asPublicKey,
  asSignature,
  type MlDsa44PublicKey,
  type MlDsa44Signature,
  type PublicKey,
  type Signature,
} from '../bytes/brands.ts'
import { SEED_BYTES } from '../limits.ts'
import { asRoleKey, type RoleKey } from './role-key.ts'
import { signingContextOf } from './signing-contexts.ts'

/** Signs for one role. */
export interface Signer {
  /** What verifies this signer. */
  readonly key: RoleKey
  /** Its Ed25519 half. */
  readonly publicKey: PublicKey
  /** By the Ed25519 key. `message` must belong to a signing context. */
  sign(message: Uint8Array): Signature
  /** The other half, if the role has one. */
  readonly mlDsa44: MlDsa44Signer | undefined
}

/** The post-quantum half of a signer. */
export interface MlDsa44Signer {
  readonly publicKey: MlDsa44PublicKey
  /** `message` must belong to a signing context. In Node two signatures of one message differ. */
  sign(message: Uint8Array): MlDsa44Signature
}

/**
 * A signer from a secret of 32 random bytes, and from another one for ML-DSA-44 if the role is to
 * have such a key. Secrets are copied; the caller may wipe them.
 */
export function createSigner(seed: Uint8Array, mlDsa44Seed?: Uint8Array): Signer {
  assert(seed.length === SEED_BYTES, 'a seed has 32 bytes')
  const key = backend.createSigningKey(seed)
  const publicKey = asPublicKey(key.publicKey)
  const mlDsa44 = mlDsa44Seed === undefined ? undefined : createMlDsa44Signer(mlDsa44Seed)
  return {
    key: asRoleKey(publicKey, mlDsa44?.publicKey),
    publicKey,
    sign(message) {
      assert(signingContextOf(message) !== undefined, 'only messages of a signing context')
      return asSignature(key.sign(message))
    },
    mlDsa44,
  }
}

function createMlDsa44Signer(seed: Uint8Array): MlDsa44Signer {
  assert(seed.length === SEED_BYTES, 'a seed has 32 bytes')
  const key = backend.createMlDsa44Key(seed)
  return {
    publicKey: asMlDsa44PublicKey(key.publicKey),
    sign(message) {
      assert(signingContextOf(message) !== undefined, 'only messages of a signing context')
      return asMlDsa44Signature(key.sign(message))
    },
  }
}
