/**
 * Terms of certificates that state a fact for ever: a change of the writer, an erasure.
 *
 * They do not end, cannot be revoked and let nobody issue further ones, and these terms have one
 * spelling. Rule CE19 of docs/spec/cert.md.
 *
 * @module
 */
import { INTEGER_MAX } from '../limits.ts'
import { type CertTerms, failCert } from './cert-terms.ts'

/** `notAfterS` of a certificate that does not end. */
export const NEVER_S: number = INTEGER_MAX

export function checkPermanent({ notAfterS, revocation, depth }: CertTerms): void {
  if (notAfterS !== NEVER_S) failCert('notAfter must be 2^53 - 1: this certificate does not end')
  if (revocation !== null) failCert('this certificate cannot be revoked')
  if (depth !== 0) failCert('this certificate lets nobody issue further ones')
}
