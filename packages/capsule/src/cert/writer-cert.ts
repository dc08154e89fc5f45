/**
 * WriterCert: the owner puts another writer key in the place of the one before.
 *
 * It fixes the size and root at which the old key's history ends, and is chained to the change
 * before it. Entry N, the first under the new key, carries it. Rules CE21 and CE22 of
 * docs/spec/cert.md; decision F16.
 *
 * @module
 */
import type { BranchId } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { type RoleKey, roleKeyHalves } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { type HeadPointer, readHeadPointerFields } from '../entry/pointer.ts'
import { WRITER_CERT_BYTES_MAX } from '../limits.ts'
import { manifestKey, type SignedManifest } from '../manifest/manifest.ts'
import { keyValue, readRoleKey, roleKeyList } from '../manifest/manifest-keys.ts'
import { failChain } from './cert-chain.ts'
import {
  type CertFormat,
  type CertTerms,
  failCert,
  readCert,
  signCert,
  verifyCertSignature,
} from './cert-terms.ts'
import { checkPermanent } from './permanent-terms.ts'
import { failScope } from './verify-links.ts'

/** `subject` is the capsule, `parent` the hash of the change before. */
export interface WriterCertBody extends CertTerms {
  /** Where the old key's history ends, and the epoch of the new key: 1 for the first change. */
  readonly end: HeadPointer
  readonly writerKey: RoleKey
}

/** The writer key in force after some changes. */
export interface WriterKeyInForce {
  readonly epoch: number
  readonly writerKey: RoleKey
  /** Heads under this key are longer: entry `sizeMin - 1` carries the last change. */
  readonly sizeMin: number
}

const WRITER_CERT: CertFormat<WriterCertBody> = {
  contentType: 'application/longshore-writercert+cbor',
  what: 'a WriterCert',
  keys: ['keys', 'root', 'size', 'epoch', 'branch'],
  encodeFields: ({ end, writerKey }) => [
    ['keys', roleKeyList(writerKey, 'writer').map(keyValue)],
    ['root', end.root],
    ['size', end.size],
    ['epoch', end.epoch],
    ['branch', end.branch],
  ],
  decodeFields: (map, terms) => {
    checkPermanent(terms)
    const [branch, epoch, size, root] = ['branch', 'epoch', 'size', 'root'].map((key) =>
      map.get(key),
    )
    const end = readHeadPointerFields({ branch, epoch, size, root }, 'the change', failCert)
    if (end.epoch === 0) failCert('epoch 0 has the key in the manifest')
    if ((end.epoch === 1) !== (terms.parent === null)) {
      failCert('every change but the first must name the one before')
    }
    const writerKey = readRoleKey(map.get('keys'), 'writer', failCert)
    return { ...terms, end, writerKey }
  },
}

/** @throws {UsageError} `USAGE` for terms that no verifier would accept. */
export function signWriterCert(body: WriterCertBody, owner: Signer): Uint8Array {
  return signCert(WRITER_CERT, body, owner)
}

/**
 * What a WriterCert says, whoever made it: use `verifyWriterChain`.
 *
 * @throws {VerificationError} `CERT_INVALID`
 */
export function decodeWriterCert(signed: Uint8Array): WriterCertBody {
  if (signed.length > WRITER_CERT_BYTES_MAX) failCert('a WriterCert must have at most 8 KiB')
  return readCert(WRITER_CERT, signed).body
}

/**
 * The writer key of a branch after all changes in `certs`, the first change first.
 *
 * That no later change exists is not shown, nor that the history is the one that the owner named:
 * that takes the entries.
 *
 * @throws {VerificationError} `CERT_INVALID`; `CERT_SCOPE` for another capsule or branch;
 * `CERT_CHAIN` if the changes do not follow one another; `BAD_SIGNATURE`.
 */
export function verifyWriterChain(
  certs: readonly Uint8Array[],
  capsule: SignedManifest,
  branch: BranchId,
): WriterKeyInForce {
  const owner = manifestKey(capsule.manifest, 'owner')
  let inForce: WriterKeyInForce = {
    epoch: 0,
    writerKey: manifestKey(capsule.manifest, 'writer'),
    sizeMin: 1,
  }
  const used: Uint8Array[] = [owner, inForce.writerKey].flatMap(roleKeyHalves)
  let previous: Uint8Array | null = null
  for (const cert of certs) {
    if (cert.length > WRITER_CERT_BYTES_MAX) failCert('a WriterCert must have at most 8 KiB')
    const { body, hash, sign1 } = readCert(WRITER_CERT, cert)
    const { end, writerKey, parent, subject } = body
    if (!bytesEqual(subject, capsule.name)) failScope('the change is of another capsule')
    if (!bytesEqual(end.branch, branch)) failScope('the change is on another branch')
    const follows = previous === null ? parent === null : parent && bytesEqual(parent, previous)
    if (end.epoch !== inForce.epoch + 1 || !follows) failChain('a change that does not follow')
    if (end.size < inForce.sizeMin - 1) failChain('a change that goes back')
    const keys = roleKeyHalves(writerKey)
    const isUsed = keys.some((key) => used.some((other) => bytesEqual(key, other)))
    if (isUsed) failChain('a key that was used before')
    verifyCertSignature(WRITER_CERT.contentType, sign1, owner)
    inForce = { epoch: end.epoch, writerKey, sizeMin: end.size + 1 }
    used.push(...keys)
    previous = hash
  }
  return inForce
}
