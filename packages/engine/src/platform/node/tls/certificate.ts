/**
 * X.509 as a container: the one certificate that a node shows in TLS.
 *
 *     30 81 … 30 81 …            Certificate, TBSCertificate
 *        a0 03 02 01 02          version 3
 *        02 01 01                serial number 1
 *        30 05 06 03 2b 65 70    Ed25519
 *        30 14 …                 issuer: CN=longshore
 *        30 20 …                 2000-01-01 to 9999-12-31
 *        30 14 …                 subject: CN=longshore
 *        30 2a … 32 bytes        the node's tls key
 *     30 05 … 03 41 00 …         Ed25519, signature by the same key
 *
 * Nothing in it means anything but the key: names, dates and issuer are constants, and whoever
 * shows another certificate is refused. Rules TP6 and TP7 of docs/spec/transport.md; decision F29.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import {
  asPublicKey,
  bytesEqual,
  concatBytes,
  decodePublicKey,
  ProtocolError,
  PUBLIC_KEY_BYTES,
  type PublicKey,
  SIGNATURE_BYTES,
} from '@longshore/capsule'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** PKCS #8 of an Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = hex('302e020100300506032b657004220420')
const ED25519 = hex('300506032b6570')
const NAME = hex('3014311230100603550403' + '0c096c6f6e6773686f7265')
/** UTCTime 000101000000Z, GeneralizedTime 99991231235959Z. */
const VALIDITY = hex('3020170d3030303130313030303030305a180f39393939313233313233353935395a')
const SPKI_PREFIX = hex('302a300506032b6570032100')
const VERSION_AND_SERIAL = hex('a003020102020101')

const SEQUENCE = 0x30
const BIT_STRING = 0x03

/** The part that is signed; the same for everybody but for the key. */
export function certificateBody(key: PublicKey): Uint8Array {
  const parts = [VERSION_AND_SERIAL, ED25519, NAME, VALIDITY, NAME, SPKI_PREFIX, key]
  return der(SEQUENCE, concatBytes(...parts))
}

export interface TlsKeys {
  readonly publicKey: PublicKey
  readonly privateKey: KeyObject
  /** DER. */
  readonly certificate: Uint8Array
}

/** Key and certificate of a node, from the seed of its tls key (32 bytes). */
export function createTlsKeys(seed: Uint8Array): TlsKeys {
  const key = Buffer.from(concatBytes(PKCS8_PREFIX, seed))
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const publicKey = asPublicKey(new Uint8Array(spki.subarray(-PUBLIC_KEY_BYTES)))
  const body = certificateBody(publicKey)
  const signature = new Uint8Array(sign(null, body, privateKey))
  const certificate = der(SEQUENCE, concatBytes(body, ED25519, bitString(signature)))
  return { publicKey, privateKey, certificate }
}

/**
 * The key in a certificate that a peer showed and TLS has proven to be his.
 *
 * @throws {ProtocolError} `HELLO_INVALID` for any certificate but the one of its key.
 */
export function openCertificate(raw: Uint8Array): PublicKey {
  // Certificate: 30 81 LEN, then the body, whose last 32 bytes are the key.
  const bodyBytes = certificateBody(asPublicKey(new Uint8Array(PUBLIC_KEY_BYTES))).byteLength
  const bodyEnd = 3 + bodyBytes
  const key = raw.slice(bodyEnd - PUBLIC_KEY_BYTES, bodyEnd)
  if (key.byteLength === PUBLIC_KEY_BYTES) {
    const body = certificateBody(key as PublicKey)
    const signature = raw.subarray(-SIGNATURE_BYTES)
    const expected = der(SEQUENCE, concatBytes(body, ED25519, bitString(signature)))
    if (bytesEqual(expected, raw)) return decodePublicKey(key)
  }
  throw new ProtocolError('HELLO_INVALID', 'the TLS certificate is not the one of a node')
}

function bitString(bytes: Uint8Array): Uint8Array {
  return der(BIT_STRING, concatBytes(new Uint8Array(1), bytes))
}

/** Content here has less than 256 bytes. */
function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content
  const head = length < 128 ? [tag, length] : [tag, 0x81, length]
  return concatBytes(new Uint8Array(head), content)
}
