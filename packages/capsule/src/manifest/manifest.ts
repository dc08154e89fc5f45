/**
 * Manifests: the immutable first bytes of a capsule or a principal, and the root of its name.
 *
 *     ac                                    map of 12, keys in the order of RFC 8949 4.2.1
 *        61 74  67 63 61 70 73 75 6c 65     "t": "capsule"
 *        61 76  01                          "v": 1
 *        63 65 78 74  a0                    "ext": {}
 *        …                                  crit, keys, mode, time, blind, nonce, crypto, policy,
 *                                           authority
 *
 * Every key is always present, so a manifest has one spelling. The name is SHA-256 of this body.
 * It travels only inside COSE_Sign1 by the owner's keys: nobody can frame a stranger as owner (F6).
 * Rules MF1 to MF9 of docs/spec/manifest.md.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual, compareBytes, copyBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import {
  checkAscending,
  type Fail,
  readArray,
  readBoolean,
  readBytes,
  readExactMap,
  readInteger,
  readMap,
  readText,
  readWord,
} from '../cbor/read-value.ts'
import { createSign1, decodeSign1, verifySign1 } from '../cose/sign1.ts'
import { asRoleKey, type RoleKey, roleKeysEqual } from '../crypto/role-key.ts'
import { sha256 } from '../crypto/sha256.ts'
import type { Signer } from '../crypto/signer.ts'
import { UsageError, VerificationError } from '../errors.ts'
import {
  CRIT_MAX,
  EXTENSION_DEPTH_MAX,
  HASH_BYTES,
  LABEL_BYTES_MAX,
  MANIFEST_BODY_BYTES_MAX,
  MANIFEST_SIGNED_BYTES_MAX,
  NONCE_BYTES,
} from '../limits.ts'
import {
  KEY_USES,
  type KeyUse,
  keyValue,
  type ManifestKey,
  type PrincipalType,
  readKeys,
} from './manifest-keys.ts'
import { type Policy, policyValue, readPolicy } from './policy.ts'

export type CapsuleMode = 'strict' | 'branching'

export interface Manifest {
  readonly type: PrincipalType
  readonly version: 1
  readonly keys: readonly ManifestKey[]
  /** `strict`: one history, two are equivocation. `branching`: branches are allowed. */
  readonly mode: CapsuleMode
  /** 16 random bytes: two capsules with equal settings have different names. */
  readonly nonce: Uint8Array
  /** When it was made, by its maker's clock; microseconds since 1970-01-01T00:00:00Z. */
  readonly timeUs: number
  readonly policy: Policy
  /** True: payloads are salted unless said otherwise, so that erased ones cannot be guessed. */
  readonly blind: boolean
  /** The capsule with amendments and revocations; null in an authority capsule itself. */
  readonly authority: CapsuleName | null
  /** Text by text, at most 256 bytes each. Public, and never erasable. */
  readonly labels: Readonly<Record<string, string>>
  /** Extensions that a verifier must understand. Version 1 knows none. */
  readonly crit: readonly string[]
  /** Application data, without the labels. */
  readonly ext: CborMap
}

/** A manifest whose signature and name hold. */
export interface SignedManifest {
  readonly name: CapsuleName
  readonly manifest: Manifest
  /** What the name is the hash of. */
  readonly body: Uint8Array
  /** COSE_Sign1: the only form in which a manifest travels. */
  readonly signed: Uint8Array
}

const CONTENT_TYPE = 'application/longshore-manifest+cbor'
const SUITE = 'sha256-ed25519'
const LABELS_KEY = 'labels'
const BODY_KEYS: readonly string[] = [
  't',
  'v',
  'ext',
  'crit',
  'keys',
  'mode',
  'time',
  'blind',
  'nonce',
  'crypto',
  'policy',
  'authority',
]
/** The body, its map `ext`, and the values in that. */
const DEPTH_MAX: number = 2 + EXTENSION_DEPTH_MAX

/**
 * The body of a manifest.
 *
 * @throws {UsageError} `USAGE` or `MANIFEST_TOO_LARGE` for a manifest that `decodeManifest` would
 * refuse.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const body = encodeCbor(bodyValue(manifest), DEPTH_MAX)
  if (body.length > MANIFEST_BODY_BYTES_MAX) {
    throw new UsageError('MANIFEST_TOO_LARGE', 'a manifest has at most 16 KiB', {
      byteLength: body.length,
    })
  }
  try {
    decodeManifest(body)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new UsageError('USAGE', `no such manifest: ${cause.message}`, undefined, { cause })
  }
  return body
}

function bodyValue(manifest: Manifest): CborMap {
  const { authority, blind, crit, keys, mode, nonce, policy, labels } = manifest
  const ext = new Map<string, CborValue>(manifest.ext)
  if (ext.has(LABELS_KEY)) throw new UsageError('USAGE', 'labels do not belong in ext')
  const pairs = Object.entries(labels)
  if (pairs.length > 0) ext.set(LABELS_KEY, new Map(pairs))
  return new Map<string, CborValue>([
    ['t', manifest.type],
    ['v', manifest.version],
    ['ext', ext],
    ['crit', crit],
    ['keys', keys.map(keyValue)],
    ['mode', mode],
    ['time', manifest.timeUs],
    ['blind', blind],
    ['nonce', nonce],
    ['crypto', SUITE],
    ['policy', policyValue(policy)],
    ['authority', authority],
  ])
}

/**
 * The manifest in `body`. This says nothing about who made it: use `openManifest`.
 *
 * @throws {VerificationError} `CBOR_INVALID`, `MANIFEST_INVALID`, `CRYPTO_UNSUPPORTED`,
 * `CRIT_UNKNOWN` or `BAD_KEY`.
 */
export function decodeManifest(body: Uint8Array): Manifest {
  if (body.length > MANIFEST_BODY_BYTES_MAX) fail('a manifest must have at most 16 KiB')
  const map = readExactMap(decodeCbor(body, DEPTH_MAX), BODY_KEYS, 'a manifest', fail)
  const type = readWord(map.get('t'), Object.keys(KEY_USES) as PrincipalType[], 't', fail)
  if (map.get('v') !== 1) fail('v must be 1')
  checkSuite(map.get('crypto'))
  const authority = map.get('authority')
  return {
    type,
    version: 1,
    keys: readKeys(map.get('keys'), type, fail),
    mode: readWord<CapsuleMode>(map.get('mode'), ['strict', 'branching'], 'mode', fail),
    nonce: readBytes(map.get('nonce'), NONCE_BYTES, 'the nonce', fail),
    timeUs: readInteger(map.get('time'), 'the time', fail),
    policy: readPolicy(map.get('policy'), fail),
    blind: readBoolean(map.get('blind'), 'blind', fail),
    authority:
      authority === null
        ? null
        : (readBytes(authority, HASH_BYTES, 'the authority', fail) as CapsuleName),
    ...readExtension(map.get('ext')),
    crit: readCrit(map.get('crit')),
  }
}

function checkSuite(value: CborValue | undefined): void {
  const suite = readText(value, MANIFEST_BODY_BYTES_MAX, 'crypto', fail)
  if (suite !== SUITE) {
    throw new VerificationError('CRYPTO_UNSUPPORTED', `this version knows only ${SUITE}`)
  }
}

function readExtension(value: CborValue | undefined): Pick<Manifest, 'ext' | 'labels'> {
  const ext = new Map(readMap(value, 'ext', fail))
  const stored = ext.get(LABELS_KEY)
  if (stored === undefined) return { ext, labels: {} }
  ext.delete(LABELS_KEY)
  const labels = readMap(stored, 'the labels', fail)
  if (labels.size === 0) fail('labels must be left out where there are none')
  const pairs = [...labels].map(([key, text]) => [
    readText(key, LABEL_BYTES_MAX, 'the key of a label', fail),
    readText(text, LABEL_BYTES_MAX, 'a label', fail),
  ])
  return { ext, labels: Object.fromEntries(pairs) }
}

function readCrit(value: CborValue | undefined): readonly string[] {
  const items = readArray(value, CRIT_MAX, 'crit', fail)
  const crit = items.map((item) => readText(item, LABEL_BYTES_MAX, 'an item of crit', fail))
  checkAscending(crit, (a, b) => compareBytes(encodeUtf8(a), encodeUtf8(b)), 'crit', fail)
  if (crit.length > 0) {
    throw new VerificationError('CRIT_UNKNOWN', 'the manifest needs an extension that we lack')
  }
  return crit
}

/** Signs a manifest with the owner's keys, which it must list as such. */
export function signManifest(manifest: Manifest, owner: Signer): SignedManifest {
  const body = encodeManifest(manifest)
  if (!roleKeysEqual(manifestKey(manifest, 'owner'), owner.key)) {
    throw new UsageError('KEY_MISSING', 'these are not the owner keys that the manifest lists')
  }
  const signed = createSign1(CONTENT_TYPE, body, owner)
  return { name: sha256(body) as Uint8Array as CapsuleName, manifest, body, signed }
}

/**
 * Verifies a signed manifest and returns its content and name.
 *
 * @param expected The name that the caller asked for.
 * @throws {VerificationError} `NAME_MISMATCH` if it is another capsule's; `BAD_SIGNATURE` if the
 * owner did not sign it, `SIGNATURE_MISSING` if one of two keys did not; `COSE_INVALID` and
 * the codes of `decodeManifest` for other bytes than a manifest's.
 */
export function openManifest(signed: Uint8Array, expected?: CapsuleName): SignedManifest {
  if (signed.length > MANIFEST_SIGNED_BYTES_MAX) fail('a manifest must have at most 16 KiB')
  const sign1 = decodeSign1(CONTENT_TYPE, signed)
  const body = sign1.payload
  const manifest = decodeManifest(body)
  verifySign1(CONTENT_TYPE, sign1, manifestKey(manifest, 'owner'))
  const name = sha256(body) as Uint8Array as CapsuleName
  if (expected !== undefined && !bytesEqual(name, expected)) {
    throw new VerificationError('NAME_MISMATCH', 'this is the manifest of another capsule')
  }
  return { name, manifest, body, signed: copyBytes(signed) }
}

/**
 * The keys that a manifest lists for `use`: whatever that role says needs a signature by each.
 *
 * @throws {VerificationError} `MANIFEST_INVALID` if its type has none: a person has no writer.
 */
export function manifestKey(manifest: Manifest, use: KeyUse): RoleKey {
  let key: RoleKey | undefined
  for (const listed of manifest.keys) {
    if (listed.use !== use) continue
    if (listed.alg === 'ed25519') key = asRoleKey(listed.key)
    else if (key !== undefined) key = asRoleKey(key.ed25519, listed.key)
  }
  if (key === undefined) fail(`a manifest of a ${manifest.type} has no ${use} key`)
  return key
}

const fail: Fail = (what) => {
  throw new VerificationError('MANIFEST_INVALID', what)
}
