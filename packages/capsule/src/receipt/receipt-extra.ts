/**
 * What a receipt carries besides the proof, so that a stranger can verify it offline.
 *
 *     a6                        map, keys in the order of deterministic CBOR
 *        61 76 01               "v": 1
 *        65 certs 80            changes of the writer's key, the first one first
 *        66 header 58 …         the header: the Merkle leaf
 *        67 payload 58 …        body of the entry, at most 64 KiB; may be missing
 *        68 manifest 59 …       signed manifest of the capsule
 *        69 cosigners 80        [signed manifest of a node, [chain, …]], sorted by name
 *
 * Nobody signed these bytes as a whole: each part is worth what its own verification says. Rules
 * RC3-RC5 of docs/spec/receipt.md; decision F25.
 *
 * @module
 */
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import {
  type Fail,
  readArray,
  readBytes,
  readExactMap,
  readInteger,
  readMap,
  readTuple,
} from '../cbor/read-value.ts'
import { VerificationError } from '../errors.ts'
import {
  CERT_BYTES_MAX,
  CHAIN_BYTES_MAX,
  HEADER_BYTES_MAX,
  MANIFEST_SIGNED_BYTES_MAX,
  RECEIPT_BODY_BYTES_MAX,
  RECEIPT_CERTS_MAX,
  RECEIPT_COSIGNERS_MAX,
} from '../limits.ts'

/** Somebody who cosigned the checkpoint, and the certificates that lead to the capsule's owner. */
export interface ReceiptCosigner {
  /** Signed manifest of a node. */
  readonly manifest: Uint8Array
  /** Encoded chains (`decodeCertChain`): one of AdCerts, then any of MemberCerts. Not verified. */
  readonly certs: readonly Uint8Array[]
}

export interface ReceiptExtra {
  readonly manifest: Uint8Array
  readonly header: Uint8Array
  readonly payload: Uint8Array | undefined
  /** WriterCerts, the first change first. Not verified. */
  readonly certs: readonly Uint8Array[]
  readonly cosigners: readonly ReceiptCosigner[]
}

const VERSION = 1
const KEYS = ['certs', 'cosigners', 'header', 'manifest', 'v']
const KEYS_WITH_PAYLOAD = [...KEYS, 'payload']

/** Map, cosigners, cosigner, certificates. */
const DEPTH_MAX = 4

export function encodeReceiptExtra(extra: ReceiptExtra): Uint8Array {
  const map = new Map<string, CborValue>([
    ['certs', extra.certs],
    ['cosigners', extra.cosigners.map(({ manifest, certs }) => [manifest, certs])],
    ['header', extra.header],
    ['manifest', extra.manifest],
    ['v', VERSION],
  ])
  if (extra.payload !== undefined) map.set('payload', extra.payload)
  return encodeCbor(map, DEPTH_MAX)
}

/**
 * Reads the extra of a receipt; verifies none of its parts. The caller has limited its length.
 *
 * @throws {VerificationError} `RECEIPT_INVALID` for anything but the one spelling of an extra.
 */
export function decodeReceiptExtra(bytes: Uint8Array): ReceiptExtra {
  let value: CborValue
  try {
    value = decodeCbor(bytes, DEPTH_MAX)
  } catch (cause) {
    const message = 'the extra is not canonical CBOR'
    throw new VerificationError('RECEIPT_INVALID', message, undefined, { cause })
  }
  const hasPayload = readMap(value, 'the extra', fail).has('payload')
  const map = readExactMap(value, hasPayload ? KEYS_WITH_PAYLOAD : KEYS, 'the extra', fail)
  if (readInteger(map.get('v'), 'the version', fail) !== VERSION) fail('the version must be 1')
  const cosigners = readArray(map.get('cosigners'), RECEIPT_COSIGNERS_MAX, 'cosigners', fail)
  return {
    manifest: readBounded(map.get('manifest'), MANIFEST_SIGNED_BYTES_MAX, 'the manifest'),
    header: readBounded(map.get('header'), HEADER_BYTES_MAX, 'the header'),
    payload: hasPayload
      ? readBounded(map.get('payload'), RECEIPT_BODY_BYTES_MAX, 'the payload')
      : undefined,
    certs: readCerts(map.get('certs'), CERT_BYTES_MAX, 'a certificate'),
    cosigners: cosigners.map(readCosigner),
  }
}

function readCosigner(value: CborValue): ReceiptCosigner {
  const [manifest, certs] = readTuple(value, 2, 'a cosigner', fail)
  return {
    manifest: readBounded(manifest, MANIFEST_SIGNED_BYTES_MAX, 'the manifest of a cosigner'),
    certs: readCerts(certs, CHAIN_BYTES_MAX, 'a chain'),
  }
}

function readCerts(
  value: CborValue | undefined,
  bytesMax: number,
  what: string,
): readonly Uint8Array[] {
  const certs = readArray(value, RECEIPT_CERTS_MAX, 'certificates', fail)
  return certs.map((cert) => readBounded(cert, bytesMax, what))
}

function readBounded(value: CborValue | undefined, bytesMax: number, what: string): Uint8Array {
  const bytes = readBytes(value, undefined, what, fail)
  if (bytes.length > bytesMax) fail(`${what} has more than ${bytesMax} bytes`)
  return bytes
}

const fail: Fail = (what) => {
  throw new VerificationError('RECEIPT_INVALID', what)
}
