/** Manifests as maps, their signed form, and the keys that the vectors share. */
import { derived, sha256 } from './bytes.mjs'
import {
  arrayItem,
  bytesItem,
  encode,
  mapItem,
  negative,
  tagItem,
  textItem,
  uint,
} from './cbor.mjs'
import { key } from './keys.mjs'

export const OWNER = key('owner')
export const WRITER = key('writer')
export const CONTENT_TYPE = 'application/longshore-manifest+cbor'
/** 2025-01-02T03:04:05.000006Z */
export const TIME_US = 1735787045000006

export const ANY_POLICY = { carry: 'any', copies: 1, exclude: [], hold: 'any', read: [] }

export function keyEntry(use, publicKey, alg = 'ed25519') {
  return { alg, key: publicKey, use }
}

/** A capsule's manifest body as a plain object; `changes` replaces whole keys. */
export function capsuleManifest(changes = {}) {
  return {
    authority: null,
    blind: false,
    crit: [],
    crypto: 'sha256-ed25519',
    ext: {},
    keys: [keyEntry('owner', OWNER.publicKey), keyEntry('writer', WRITER.publicKey)],
    mode: 'strict',
    nonce: derived('manifest nonce', 16),
    policy: ANY_POLICY,
    t: 'capsule',
    time: TIME_US,
    v: 1,
    ...changes,
  }
}

/** A manifest whose body has exactly `bodyBytes` bytes (about 16 KiB). */
export function manifestOfSize(bodyBytes) {
  const padded = (length) =>
    capsuleManifest({ ext: { 'example.com/padding': new Uint8Array(length) } })
  const overhead = encode(padded(10000)).length - 10000
  return padded(bodyBytes - overhead)
}

/** Different labels give different keys and nonces. */
export function nodeManifest(label = 'node') {
  const uses = ['head-log', 'identity', 'mirror', 'owner', 'tls', 'witness']
  return capsuleManifest({
    keys: uses.map((use) => {
      const signer = use === 'owner' ? OWNER : key(`${label} ${use}`)
      return keyEntry(use, signer.publicKey)
    }),
    nonce: derived(`${label} nonce`, 16),
    t: 'node',
  })
}

export function ownerOnlyManifest(type) {
  return capsuleManifest({ keys: [keyEntry('owner', OWNER.publicKey)], t: type })
}

const PROTECTED_PAIRS = [
  [uint(1), negative(-19)],
  [uint(3), textItem(CONTENT_TYPE)],
]
export const PROTECTED = mapItem(PROTECTED_PAIRS)

/** RFC 9052 section 4.4 for COSE_Sign1. */
export function sigStructure(protectedBytes, payload, context = 'Signature1') {
  return encode([context, protectedBytes, new Uint8Array(0), payload])
}

/** COSE_Sign1 with tag 18. Each part can be replaced, the signature is made over what is there. */
export function coseSign1({
  body,
  signer = OWNER,
  protectedBytes = PROTECTED,
  unprotected = mapItem([]),
  payloadItem = bytesItem(body),
  signature = signer.sign(sigStructure(protectedBytes, body)),
  tag = 18,
}) {
  return tagItem(
    tag,
    arrayItem([bytesItem(protectedBytes), unprotected, payloadItem, bytesItem(signature)]),
  )
}

/** What every vector needs of one manifest. */
export function signedManifest(manifest, signer = OWNER) {
  const body = encode(manifest)
  return { body, name: sha256(body), signed: coseSign1({ body, signer }) }
}

/** A body whose pairs are written one by one, so that `change` can break the encoding. */
export function bodyFromPairs(manifest, change) {
  const keys = Object.keys(manifest).sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  return mapItem(change(keys.map((name) => [textItem(name), encode(manifest[name])])))
}
