/**
 * The keys that a manifest lists: one key, one role (F1), and for some roles an ML-DSA-44 key
 * beside the Ed25519 one (F4). Rules MF2, MF6 and MF10 of docs/spec/manifest.md.
 *
 * @module
 */
import type { MlDsa44PublicKey, PublicKey } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { CborValue } from '../cbor/cbor.ts'
import { type Fail, readArray, readBytes, readExactMap, readWord } from '../cbor/read-value.ts'
import { decodePublicKey } from '../crypto/ed25519.ts'
import { decodeMlDsa44PublicKey } from '../crypto/ml-dsa-44.ts'
import { asRoleKey, type RoleKey } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { VerificationError } from '../errors.ts'
import { MANIFEST_KEYS_MAX, ML_DSA_44_KEY_BYTES, PUBLIC_KEY_BYTES } from '../limits.ts'

export type PrincipalType = 'capsule' | 'node' | 'person' | 'organisation' | 'domain'

/** What a key may sign: docs/spec/signing.md. */
export type KeyUse = 'owner' | 'writer' | 'identity' | 'tls' | 'mirror' | 'witness' | 'head-log'

/** Roles whose every statement this version verifies with both keys. */
export type JointKeyUse = 'owner' | 'writer' | 'mirror' | 'witness'

export type ManifestKey =
  | { readonly alg: 'ed25519'; readonly key: PublicKey; readonly use: KeyUse }
  | { readonly alg: 'ml-dsa-44'; readonly key: MlDsa44PublicKey; readonly use: JointKeyUse }

const JOINT_KEY_USES: readonly JointKeyUse[] = ['owner', 'writer', 'mirror', 'witness']

/** The uses that a manifest of each type lists, all of them and no others, in their order. */
export const KEY_USES: Readonly<Record<PrincipalType, readonly KeyUse[]>> = Object.freeze({
  capsule: ['owner', 'writer'],
  node: ['head-log', 'identity', 'mirror', 'owner', 'tls', 'witness'],
  person: ['owner'],
  organisation: ['owner'],
  domain: ['owner'],
})

/** The keys of a role as a manifest lists them. */
export function manifestKeysOf({ key }: Signer, use: JointKeyUse): ManifestKey[] {
  return roleKeyList(key, use)
}

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
  checkUses(keys, type, fail)
  for (const [i, { key }] of keys.entries()) {
    if (keys.slice(0, i).some((other) => bytesEqual(other.key, key))) {
      fail('a key must have one use')
    }
  }
  return keys
}

/** Every use of the type once, in order; an ML-DSA-44 key only right behind the key it joins. */
function checkUses(keys: readonly ManifestKey[], type: PrincipalType, fail: Fail): void {
  const uses = KEY_USES[type]
  const first = keys.filter(({ alg }) => alg === 'ed25519')
  if (first.length !== uses.length || first.some(({ use }, i) => use !== uses[i])) {
    fail(`a manifest of a ${type} must list the keys ${uses.join(', ')} in this order`)
  }
  for (const [i, { alg, use }] of keys.entries()) {
    const before = keys[i - 1]
    if (alg === 'ed25519' || (before?.alg === 'ed25519' && before.use === use)) continue
    fail('an ML-DSA-44 key must follow the Ed25519 key of its use')
  }
}

/** The keys of one role alone, as a certificate lists them that replaces a role. */
export function roleKeyList({ ed25519, mlDsa44 }: RoleKey, use: JointKeyUse): ManifestKey[] {
  const first: ManifestKey = { alg: 'ed25519', key: ed25519, use }
  return mlDsa44 === undefined ? [first] : [first, { alg: 'ml-dsa-44', key: mlDsa44, use }]
}

export function readRoleKey(value: CborValue | undefined, use: JointKeyUse, fail: Fail): RoleKey {
  const [first, second] = readArray(value, 2, 'keys', fail).map((item) => readKey(item, fail))
  if (first?.alg !== 'ed25519' || first.use !== use) fail(`the first key must be for ${use}`)
  if (second === undefined) return asRoleKey(first.key)
  if (second.alg !== 'ml-dsa-44' || second.use !== use) fail('an ML-DSA-44 key must join the first')
  return asRoleKey(first.key, second.key)
}

function readKey(value: CborValue, fail: Fail): ManifestKey {
  const map = readExactMap(value, ['alg', 'key', 'use'], 'a key', fail)
  const alg = readWord(map.get('alg'), ['ed25519', 'ml-dsa-44'], 'the algorithm of a key', fail)
  const uses: readonly KeyUse[] = [...KEY_USES.node, 'writer']
  const use = readWord(map.get('use'), uses, 'the use of a key', fail)
  if (alg === 'ed25519') {
    const bytes = readBytes(map.get('key'), PUBLIC_KEY_BYTES, 'an Ed25519 key', fail)
    return { alg, key: decodePublicKey(bytes), use }
  }
  const joint = JOINT_KEY_USES.find((candidate) => candidate === use)
  if (joint === undefined) {
    // To accept the key without checking its signatures would let an attacker strip them (F4).
    throw new VerificationError('CRYPTO_UNSUPPORTED', `this version has no ML-DSA-44 for ${use}`)
  }
  const bytes = readBytes(map.get('key'), ML_DSA_44_KEY_BYTES, 'an ML-DSA-44 key', fail)
  return { alg, key: decodeMlDsa44PublicKey(bytes), use: joint }
}
