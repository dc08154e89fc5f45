/** Principals with two keys in a role, and what such roles sign: F4. */
import { bigEndian, concat, sha256, utf8 } from './bytes.mjs'
import { arrayItem, bytesItem, encode, mapItem, negative, textItem, uint } from './cbor.mjs'
import {
  capsuleManifest,
  coseSign1,
  keyEntry,
  nodeManifest,
  OWNER,
  PROTECTED,
  sigStructure,
  WRITER,
} from './manifests.mjs'
import { mlDsaKey } from './ml-dsa.mjs'
import { keyId, signatureLine, TYPE_ML_DSA } from './notes.mjs'

export const OWNER_PQ = mlDsaKey('owner')
export const WRITER_PQ = mlDsaKey('writer')

export const secondEntry = (use, { publicKey }) => keyEntry(use, publicKey, 'ml-dsa-44')

/** The keys of a capsule; `owner` and `writer` are ML-DSA-44 keys, or undefined. */
export function capsuleKeys({ owner = OWNER_PQ, writer = WRITER_PQ } = {}) {
  return [
    keyEntry('owner', OWNER.publicKey),
    ...(owner === null ? [] : [secondEntry('owner', owner)]),
    keyEntry('writer', WRITER.publicKey),
    ...(writer === null ? [] : [secondEntry('writer', writer)]),
  ]
}

/** A node whose mirror and witness, or the uses in `second`, have two keys. */
export function postQuantumNode(label, second = ['mirror', 'witness']) {
  const plain = nodeManifest(label)
  const keys = plain.keys.flatMap((entry) => {
    const isSecond = second.includes(entry.use)
    return isSecond ? [entry, secondEntry(entry.use, mlDsaKey(`${label} ${entry.use}`))] : [entry]
  })
  return { ...plain, keys }
}

/** {1: -48}: ML-DSA-44 in RFC 9964. */
const COUNTERSIGNATURE_PROTECTED = mapItem([[uint(1), negative(-48)]])

/** RFC 9338 section 3.3 for a COSE_Sign1. */
export function countersignStructure(body, signature, protectedBytes = COUNTERSIGNATURE_PROTECTED) {
  const none = new Uint8Array(0)
  return encode(['CounterSignatureV2', PROTECTED, protectedBytes, none, body, [signature]])
}

/** The unprotected header with a countersignature. */
export function countersigned(
  signature,
  { label = uint(11), protectedBytes = COUNTERSIGNATURE_PROTECTED, inner = mapItem([]) } = {},
) {
  const parts = [bytesItem(protectedBytes), inner, bytesItem(signature)]
  return mapItem([[label, arrayItem(parts)]])
}

/** A body signed by the owner's Ed25519 key and countersigned by `second`. */
export function jointSign1(body, { second = OWNER_PQ, header = {} } = {}) {
  const signature = OWNER.sign(sigStructure(PROTECTED, body))
  const structure = countersignStructure(body, signature, header.protectedBytes)
  return coseSign1({ body, unprotected: countersigned(second.sign(structure), header) })
}

export function jointManifest(manifest, options) {
  const body = encode(manifest)
  return { body, name: sha256(body), signed: jointSign1(body, options) }
}

export const PQ_MANIFEST = capsuleManifest({ keys: capsuleKeys() })
export const PQ_CAPSULE = jointManifest(PQ_MANIFEST)

const opaque8 = (text) => concat(Uint8Array.of(utf8(text).length), utf8(text))

/** `cosigned_message` of C2SP tlog-cosignature. */
export function subtreeMessage(cosigner, { origin, size, root }, timeS) {
  return concat(
    utf8('subtree/v1\n\0'),
    opaque8(cosigner),
    bigEndian(timeS, 8),
    opaque8(origin),
    bigEndian(0, 8),
    bigEndian(size, 8),
    root,
  )
}

/** A signature line of type 0x06. */
export function subtreeLine(cosigner, signer, tree, timeS) {
  const signature = signer.sign(subtreeMessage(cosigner, tree, timeS))
  const id = keyId(cosigner, TYPE_ML_DSA, signer.publicKey)
  return signatureLine(cosigner, concat(id, bigEndian(timeS, 8), signature))
}

/** Text items beside the label of a countersignature: what must not be there. */
export const TEXT_LABEL = textItem('11')
