/**
 * The keys that a manifest lists: one key, one role (F1). Rules MF2 and MF6 of
 * docs/spec/manifest.md.
 *
 * @module
 */
import type { PublicKey } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { CborValue } from '../cbor/cbor.ts'
import { type Fail, readArray, readBytes, readExactMap, readWord } from '../cbor/read-value.ts'
import { decodePublicKey } from '../crypto/ed25519.ts'
import { VerificationError } from '../errors.ts'
import { MANIFEST_KEYS_MAX, PUBLIC_KEY_BYTES } from '../limits.ts'

export type PrincipalType = 'capsule' | 'node' | 'person' | 'organisation' | 'domain'

/** What a key may sign: docs/spec/signing.md. */
export type KeyUse = 'owner' | 'writer' | 'identity' | 'tls' | 'mirror' | 'witness' | 'head-log'

export interface ManifestKey {
  readonly alg: 'ed25519'
  readonly key: PublicKey
  readonly use: KeyUse
}

/** The uses that a manifest of each type lists, all of them and no others, in their order. */
export const KEY_USES: Readonly<Record<PrincipalType, readonly KeyUse[]>> = Object.freeze({
  capsule: ['owner', 'writer'],
  node: ['head-log', 'identity', 'mirror', 'owner', 'tls', 'witness'],
  person: ['owner'],
  organisation: ['owner'],
  domain: ['owner'],
})

export function keyValue({ alg, key, use }: ManifestKey): CborValue {
  return new Map<string, CborValue>(Object.entries({ alg, key, use }))
}

/** The keys of a manifest of `type`, every one of them usable. */
export function readKeys(
  value: CborValue | undefined,
  type: PrincipalType,
  fail: Fail,
): readonly ManifestKey[] {
  const items = readArray(value, MANIFEST_KEYS_MAX, 'keys', fail)
  const keys = items.map((item) => readKey(item, fail))
  const uses = KEY_USES[type]
  if (keys.length !== uses.length || keys.some(({ use }, i) => use !== uses[i])) {
    fail(`a manifest of a ${type} must list the keys ${uses.join(', ')} in this order`)
  }
  for (const [i, { key }] of keys.entries()) {
    if (keys.slice(0, i).some((other) => bytesEqual(other.key, key))) {
      fail('a key must have one use')
    }
  }
  return keys
}

/** One key of a manifest, or of a certificate that replaces one. */
export function readKey(value: CborValue, fail: Fail): ManifestKey {
  const map = readExactMap(value, ['alg', 'key', 'use'], 'a key', fail)
  const alg = readWord(map.get('alg'), ['ed25519', 'ml-dsa-44'], 'the algorithm of a key', fail)
  if (alg === 'ml-dsa-44') {
    // Both signatures would be required (F4). To accept the key without checking its signatures
    // would let an attacker strip them.
    throw new VerificationError('CRYPTO_UNSUPPORTED', 'this version cannot check ML-DSA-44')
  }
  const uses: readonly KeyUse[] = [...KEY_USES.node, 'writer']
  const use = readWord(map.get('use'), uses, 'the use of a key', fail)
  const bytes = readBytes(map.get('key'), PUBLIC_KEY_BYTES, 'an Ed25519 key', fail)
  return { alg, key: decodePublicKey(bytes), use }
}
