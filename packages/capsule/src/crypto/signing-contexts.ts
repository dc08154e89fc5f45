/**
 * Every kind of message that a Longshore key may sign, by how its bytes begin.
 *
 * No two of them begin alike (none is a prefix of another), so a signature over one kind can never
 * be shown as a signature over another, and no key signs bytes that a peer chose. A signer refuses
 * everything else. Table and rules SG7 to SG9 of docs/spec/signing.md; decision F2.
 *
 * @module
 */
import { concatBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'

export type SigningContextName =
  | 'checkpoint'
  | 'cosignature'
  | 'subtree'
  | 'cose'
  | 'cose-countersignature'
  | 'tls'
  | 'certificate'
  | 'session'

const SIGNING_CONTEXT_BYTES: Readonly<Record<SigningContextName, Uint8Array>> = {
  /** Note text of a checkpoint; what follows is the capsule name. */
  checkpoint: encodeUtf8('longshore/'),
  /** C2SP timestamped cosignature: heartbeats, mirrors, witnesses. */
  cosignature: encodeUtf8('cosignature/v1\n'),
  /** C2SP ML-DSA-44 cosignature of a checkpoint: heads, heartbeats, mirrors, witnesses. */
  subtree: encodeUtf8('subtree/v1\n\0'),
  /** COSE Sig_structure: array of 4, text "Signature1". Content types tell its uses apart. */
  cose: concatBytes(new Uint8Array([0x84, 0x6a]), encodeUtf8('Signature1')),
  /** COSE Countersign_structure (RFC 9338): array of 6, text "CounterSignatureV2". */
  'cose-countersignature': concatBytes(
    new Uint8Array([0x86, 0x72]),
    encodeUtf8('CounterSignatureV2'),
  ),
  /** TLS 1.3 CertificateVerify (RFC 8446 section 4.4.3), made by the TLS library only. */
  tls: new Uint8Array(64).fill(0x20),
  /** X.509 container of a node's tls key, made by the TLS transport only (TP7). */
  certificate: new Uint8Array([0x30, 0x81, 0x89, 0xa0, 0x03, 0x02, 0x01, 0x02]),
  /** Transcript of a Longshore session. */
  session: encodeUtf8('longshore-session/v1\n'),
}

/** The bytes that every message of this kind begins with. */
export function signingContextBytes(context: SigningContextName): Uint8Array {
  return SIGNING_CONTEXT_BYTES[context].slice()
}

export const SIGNING_CONTEXT_NAMES: readonly SigningContextName[] = Object.freeze(
  Object.keys(SIGNING_CONTEXT_BYTES) as SigningContextName[],
)

/** The context that `message` belongs to, or undefined if a Longshore key must not sign it. */
export function signingContextOf(message: Uint8Array): SigningContextName | undefined {
  return SIGNING_CONTEXT_NAMES.find((name) => {
    const beginning = SIGNING_CONTEXT_BYTES[name]
    if (message.length < beginning.length) return false
    for (let i = 0; i < beginning.length; i++) if (message[i] !== beginning[i]) return false
    return true
  })
}
