/**
 * RtCert: a node, or the router before, lets a router carry what an AdCert lets it advertise.
 *
 * Rule CE13 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import type { Signer } from '../crypto/signer.ts'
import { RT_CERT_LIFE_S_MAX } from '../limits.ts'
import {
  type CertFormat,
  type CertTerms,
  failCert,
  readCert,
  readHash,
  signCert,
} from './cert-terms.ts'

export interface RtCertBody extends CertTerms {
  /** Hash of the AdCert that this is about; null: about the name of the serving node itself. */
  readonly adcert: Hash | null
}

export const RT_CERT: CertFormat<RtCertBody> = {
  contentType: 'application/longshore-rtcert+cbor',
  what: 'an RtCert',
  keys: ['adcert'],
  encodeFields: ({ adcert }) => [['adcert', adcert]],
  decodeFields: (map, terms) => {
    if (terms.notAfterS - terms.notBeforeS > RT_CERT_LIFE_S_MAX) {
      failCert('an RtCert must live at most 24 hours')
    }
    const adcert = map.get('adcert')
    return { ...terms, adcert: adcert === null ? null : readHash(adcert, 'the AdCert') }
  },
}

/** @throws {UsageError} `USAGE` for terms that no verifier would accept. */
export function signRtCert(body: RtCertBody, signer: Signer): Uint8Array {
  return signCert(RT_CERT, body, signer)
}

/**
 * What an RtCert says, whoever made it: use `verifyRtChain`.
 *
 * @throws {VerificationError} `CERT_INVALID`
 */
export function decodeRtCert(signed: Uint8Array): RtCertBody {
  return readCert(RT_CERT, signed).body
}
