/**
 * ErasureCert: the owner orders that payloads are erased, without an entry of the writer.
 *
 * It states a fact for ever, so it neither ends nor can be taken back. Rules CE19 and CE20 of
 * docs/spec/cert.md; decision F10.
 *
 * @module
 */
import type { BranchId } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { Signer } from '../crypto/signer.ts'
import { controlValue, type Erase, type EraseRange, readControl } from '../entry/control.ts'
import { readBranch } from '../entry/pointer.ts'
import { manifestKey, type SignedManifest } from '../manifest/manifest.ts'
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

/** `subject` is the capsule. */
export interface ErasureCertBody extends CertTerms {
  readonly branch: BranchId
  /** As in an erase entry: 1 to 1024, ascending, neither overlapping nor touching. */
  readonly ranges: readonly EraseRange[]
  readonly reason: string
}

const ERASURE_CERT: CertFormat<ErasureCertBody> = {
  contentType: 'application/longshore-erasurecert+cbor',
  what: 'an ErasureCert',
  keys: ['erase', 'branch'],
  encodeFields: ({ branch, ranges, reason }) => [
    ['erase', controlValue({ type: 'erase', ranges, reason })],
    ['branch', branch],
  ],
  decodeFields: (map, terms) => {
    checkPermanent(terms)
    if (terms.parent !== null) failCert('an ErasureCert must not rely on another certificate')
    const { ranges, reason } = readControl('erase', map.get('erase') ?? null, failCert) as Erase
    return {
      ...terms,
      branch: readBranch(map.get('branch'), 'the branch', failCert),
      ranges,
      reason,
    }
  },
}

/** @throws {UsageError} `USAGE` for terms that no verifier would accept. */
export function signErasureCert(body: ErasureCertBody, owner: Signer): Uint8Array {
  return signCert(ERASURE_CERT, body, owner)
}

/**
 * What an ErasureCert says, whoever made it: use `verifyErasureCert`.
 *
 * @throws {VerificationError} `CERT_INVALID`
 */
export function decodeErasureCert(signed: Uint8Array): ErasureCertBody {
  return readCert(ERASURE_CERT, signed).body
}

/**
 * Returns what the capsule's owner orders; throws if this is not the owner's order.
 *
 * @throws {VerificationError} `CERT_INVALID`; `CERT_SCOPE` for another capsule; `BAD_SIGNATURE`.
 */
export function verifyErasureCert(signed: Uint8Array, capsule: SignedManifest): ErasureCertBody {
  const { body, sign1 } = readCert(ERASURE_CERT, signed)
  if (!bytesEqual(body.subject, capsule.name)) failScope('the order is for another capsule')
  verifyCertSignature(ERASURE_CERT.contentType, sign1, manifestKey(capsule.manifest, 'owner'))
  return body
}
