/** Certificates as maps, their signed form, chains of them, and the principals of the vectors. */
import { derived, sha256 } from './bytes.mjs'
import { encode, mapItem, negative, textItem, uint } from './cbor.mjs'
import { key } from './keys.mjs'
import {
  capsuleManifest,
  coseSign1,
  keyEntry,
  nodeManifest,
  OWNER,
  ownerOnlyManifest,
  signedManifest,
} from './manifests.mjs'

export const NOW_S = 1735787045
export const HOUR_S = 3600
export const NEVER_S = 9007199254740991

function contentType(kind) {
  return `application/longshore-${kind}+cbor`
}

function protectedHeader(type) {
  return mapItem([
    [uint(1), negative(-19)],
    [uint(3), textItem(type)],
  ])
}

/** A principal: its signed manifest and name, and the key that signs its certificates. */
function principal(manifest, owner, issuing) {
  return { ...signedManifest(manifest, owner), owner, issuing }
}

function ownerOnly(type, label, owner = key(`${label} owner`)) {
  const keys = [keyEntry('owner', owner.publicKey)]
  const nonce = derived(`${label} nonce`, 16)
  return principal({ ...ownerOnlyManifest(type), keys, nonce }, owner, owner)
}

function node(label) {
  return principal(nodeManifest(label), OWNER, key(`${label} identity`))
}

export const CAPSULE = principal(capsuleManifest(), OWNER, OWNER)
export const OTHER = principal(
  capsuleManifest({ nonce: derived('other capsule', 16) }),
  OWNER,
  OWNER,
)
/** The owner of CAPSULE and OTHER. */
export const PERSON = ownerOnly('person', 'person', OWNER)
export const STRANGER = ownerOnly('person', 'stranger')
export const ORGANISATION = ownerOnly('organisation', 'organisation')
export const DOMAIN = ownerOnly('domain', 'domain')
export const OTHER_DOMAIN = ownerOnly('domain', 'other domain')
/** A node of the owner's. */
export const OWN_NODE = node('own node')
export const NODE = node('first node')
export const ROUTER = node('router')
export const FAR_ROUTER = node('far router')

export const byName = (a, b) => Buffer.compare(a, b)

/** The terms of a certificate as a plain object with the keys of the encoded map. */
export function terms(issuer, subject, changes = {}) {
  return {
    v: 1,
    depth: 0,
    issuer: issuer.name,
    parent: null,
    serial: derived('serial', 16),
    subject: subject.name,
    notAfter: NOW_S + HOUR_S,
    notBefore: NOW_S - HOUR_S,
    staleness: 0,
    revocation: null,
    ...changes,
  }
}

export const EXTRAS = {
  adcert: { rights: ['advertise', 'serve'], domains: 'any', capsules: 'all' },
  membercert: { rights: ['lookup', 'mirror', 'route'] },
  rtcert: { adcert: null },
}

/** COSE_Sign1 of a body that may be a map or bytes already. */
export function signCert(kind, body, signer) {
  const bytes = body instanceof Uint8Array ? body : encode(body)
  return coseSign1({ body: bytes, signer, protectedBytes: protectedHeader(contentType(kind)) })
}

/**
 * A chain along principals, the root first; `changes` (the root's first) replace keys of a body.
 * The certificates come back leaf first.
 */
export function chain(kind, principals, ...changes) {
  const certs = []
  for (let at = 0; at + 1 < principals.length; at += 1) {
    const [issuer, subject] = principals.slice(at, at + 2)
    const linked = {
      parent: certs.length === 0 ? null : sha256(certs[0]),
      depth: principals.length - 2 - at,
    }
    const body = { ...terms(issuer, subject, linked), ...EXTRAS[kind], ...changes[at] }
    certs.unshift(signCert(kind, body, issuer.issuing))
  }
  return { certs, manifests: manifestsOf(principals.slice(0, -1)) }
}

export function manifestsOf(principals) {
  return principals.toSorted((a, b) => byName(a.name, b.name)).map(({ signed }) => signed)
}

export function chainBytes({ certs, manifests }) {
  return encode([certs, manifests])
}
