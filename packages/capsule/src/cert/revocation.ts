/**
 * Revocation: what a verifier knows of the capsules in which issuers take certificates back.
 *
 * Strict where something is let in (advertising, routing, holding copies): whoever has not looked
 * lately does not know, and refuses. Lenient where somebody reads: every byte is verified anyway,
 * and an unreachable revocation capsule must not stop a reader; but what is known to be revoked
 * stays so. Without any view all of that is unknown. Rule CE17 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { UnavailableError, VerificationError } from '../errors.ts'
import type { CertTerms } from './cert-terms.ts'

/** Read from revocation capsules that the caller has verified. */
export interface RevocationView {
  isRevoked(capsule: CapsuleName, serial: Uint8Array): boolean
  /** When the known state of this capsule was the newest, by a heartbeat; undefined: unknown. */
  freshAtS(capsule: CapsuleName): number | undefined
}

export type Strictness = 'strict' | 'lenient'

/**
 * Returns if nothing speaks against the certificate; throws otherwise.
 *
 * @throws {VerificationError} `CERT_REVOKED`
 * @throws {UnavailableError} `REVOCATION_STALE` if it is judged strictly and the known state of
 * the revocation capsule is older than the certificate allows.
 */
export function checkNotRevoked(
  { revocation, serial, stalenessS }: CertTerms,
  view: RevocationView | undefined,
  strictness: Strictness,
  atS: number,
): void {
  if (revocation === null) return
  if (view?.isRevoked(revocation, serial) === true) {
    throw new VerificationError('CERT_REVOKED', 'the issuer has revoked this certificate')
  }
  if (strictness === 'lenient') return
  const freshAtS = view?.freshAtS(revocation)
  if (freshAtS === undefined || atS - freshAtS > stalenessS) {
    const details = { atS, stalenessS, ...(freshAtS !== undefined && { freshAtS }) }
    const message = 'whether the issuer has revoked this certificate is not known well enough'
    throw new UnavailableError('REVOCATION_STALE', message, details)
  }
}
