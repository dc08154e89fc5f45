/**
 * A chain of certificates as it travels: leaf first, with the manifests of all issuers.
 *
 *     82                            array of 2
 *        81 59 …                    signed certificates, the leaf first, 1 to 8
 *        81 59 …                    signed manifests of their issuers, ascending by name
 *
 * Taking a chain apart verifies nothing. Rules CE14 and CE15 of docs/spec/cert.md.
 *
 * @module
 */
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { readArray, readBytes, readTuple } from '../cbor/read-value.ts'
import { UsageError, VerificationError } from '../errors.ts'
import {
  CERT_BYTES_MAX,
  CHAIN_BYTES_MAX,
  CHAIN_CERTS_MAX,
  MANIFEST_SIGNED_BYTES_MAX,
} from '../limits.ts'

export interface CertChain {
  /** The leaf first; the last one's issuer is the root. */
  readonly certs: readonly Uint8Array[]
  /** Signed manifests of the issuers, each once, ascending by name. */
  readonly manifests: readonly Uint8Array[]
}

/** @throws {UsageError} `USAGE` for a chain that `decodeCertChain` would refuse. */
export function encodeCertChain({ certs, manifests }: CertChain): Uint8Array {
  const bytes = encodeCbor([certs, manifests], 2)
  try {
    decodeCertChain(bytes)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new UsageError('USAGE', `no such chain: ${cause.message}`, undefined, { cause })
  }
  return bytes
}

/**
 * Takes a chain apart; verifies none of its parts.
 *
 * @throws {VerificationError} `CERT_CHAIN` for anything but the one encoding of a chain.
 */
export function decodeCertChain(bytes: Uint8Array): CertChain {
  if (bytes.length > CHAIN_BYTES_MAX) failChain('a chain must have at most 128 KiB')
  let value: CborValue
  try {
    value = decodeCbor(bytes, 2, 2 + 2 * CHAIN_CERTS_MAX)
  } catch (cause) {
    const message = 'a chain must be canonical CBOR'
    throw new VerificationError('CERT_CHAIN', message, undefined, { cause })
  }
  const [certs, manifests] = readTuple(value, 2, 'a chain', failChain)
  return {
    certs: readParts(certs, CERT_BYTES_MAX, 'the certificates of a chain'),
    manifests: readParts(manifests, MANIFEST_SIGNED_BYTES_MAX, 'the manifests of a chain'),
  }
}

function readParts(value: CborValue | undefined, bytesMax: number, what: string): Uint8Array[] {
  const parts = readArray(value, CHAIN_CERTS_MAX, what, failChain).map((item) => {
    return readBytes(item, undefined, what, failChain)
  })
  if (parts.length === 0) failChain(`${what} must not be missing`)
  if (parts.some(({ length }) => length > bytesMax)) failChain(`${what} must be shorter`)
  return parts
}

/** The certificates do not form a chain. */
export function failChain(what: string): never {
  throw new VerificationError('CERT_CHAIN', what)
}
