/**
 * AdCert: the issuer lets the subject serve or advertise capsules.
 *
 * Rules CE9 and CE10 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { Signer } from '../crypto/signer.ts'
import { CERT_CAPSULES_MAX, CERT_DOMAINS_MAX } from '../limits.ts'
import { type CertFormat, type CertTerms, readCert, signCert } from './cert-terms.ts'
import { type NameList, readNameList, readRights } from './name-list.ts'

/** `advertise`: install routes towards the subject. `serve`: hold the capsule and answer for it. */
export type AdRight = 'advertise' | 'serve'

export interface AdCertBody extends CertTerms {
  /** `all`: every capsule of the owner at whom the chain ends. At most 256 names. */
  readonly capsules: NameList<'all'>
  readonly rights: readonly AdRight[]
  /** Domains of which the subject must be a member. At most 64 names. */
  readonly domains: NameList<'any'>
}

export const AD_CERT: CertFormat<AdCertBody> = {
  contentType: 'application/longshore-adcert+cbor',
  what: 'an AdCert',
  keys: ['rights', 'domains', 'capsules'],
  encodeFields: ({ rights, domains, capsules }) => [
    ['rights', rights],
    ['domains', domains],
    ['capsules', capsules],
  ],
  decodeFields: (map, terms) => ({
    ...terms,
    rights: readRights<AdRight>(map.get('rights'), ['advertise', 'serve']),
    domains: readNameList(map.get('domains'), 'any', CERT_DOMAINS_MAX, 'domains'),
    capsules: readNameList(map.get('capsules'), 'all', CERT_CAPSULES_MAX, 'capsules'),
  }),
}

/** @throws {UsageError} `USAGE` for terms that no verifier would accept. */
export function signAdCert(body: AdCertBody, signer: Signer): Uint8Array {
  return signCert(AD_CERT, body, signer)
}

/**
 * What an AdCert says, whoever made it: use `verifyAdChain`.
 *
 * @throws {VerificationError} `CERT_INVALID`
 */
export function decodeAdCert(signed: Uint8Array): AdCertBody {
  return readCert(AD_CERT, signed).body
}
