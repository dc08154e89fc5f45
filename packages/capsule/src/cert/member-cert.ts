/**
 * MemberCert: the issuer, a domain or whom it lets do so, admits the subject to the domain. A
 * person or an organisation lets its own nodes read in the same way.
 *
 * Rule CE12 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { Signer } from '../crypto/signer.ts'
import { type CertFormat, type CertTerms, readCert, signCert } from './cert-terms.ts'
import { readRights } from './name-list.ts'

/**
 * `lookup`: ask its lookup service. `mirror`: hold capsules in it. `read`: read the capsules that
 * its members may read. `route`: carry its traffic.
 */
export type MemberRight = 'lookup' | 'mirror' | 'read' | 'route'

export interface MemberCertBody extends CertTerms {
  readonly rights: readonly MemberRight[]
}

export const MEMBER_CERT: CertFormat<MemberCertBody> = {
  contentType: 'application/longshore-membercert+cbor',
  what: 'a MemberCert',
  keys: ['rights'],
  encodeFields: ({ rights }) => [['rights', rights]],
  decodeFields: (map, terms) => ({
    ...terms,
    rights: readRights<MemberRight>(map.get('rights'), ['lookup', 'mirror', 'read', 'route']),
  }),
}

/** @throws {UsageError} `USAGE` for terms that no verifier would accept. */
export function signMemberCert(body: MemberCertBody, signer: Signer): Uint8Array {
  return signCert(MEMBER_CERT, body, signer)
}

/**
 * What a MemberCert says, whoever made it: use `verifyMemberChain`.
 *
 * @throws {VerificationError} `CERT_INVALID`
 */
export function decodeMemberCert(signed: Uint8Array): MemberCertBody {
  return readCert(MEMBER_CERT, signed).body
}
