/**
 * What both ends of a handshake say about themselves, encrypted: the responder its manifest, its
 * chain and a signature, the initiator its manifest and a signature, or nothing.
 *
 *     reply   flags 1 | manifest length 4, manifest | chain length 4, chain | signature 64
 *     finish  00, anonymous;  or  01 | manifest length 4, manifest | signature 64
 *
 * Flag 1 of a reply: there is a chain. Flag 2: an anonymous initiator will be turned away. The
 * signature covers the context of sessions, the signer's role, the transcript hash before this
 * content, and the signer's name (SIGMA: the encryption under the agreed key binds the identity
 * to it). Rules SN7 to SN9 of docs/spec/session.md.
 *
 * @module
 */
import {
  type CapsuleName,
  concatBytes,
  type Hash,
  MANIFEST_SIGNED_BYTES_MAX,
  type Manifest,
  manifestKey,
  openManifest,
  ProtocolError,
  SIGNATURE_BYTES,
  signingContextBytes,
  verifySignature,
} from '@longshore/capsule'
import type { NodeIdentity } from '../node/principal.ts'
import { readUint32, writeUint32 } from '../store/disk/big-endian.ts'
import { CHAIN_BYTES_MAX } from './limits.ts'

export type Role = 'initiator' | 'responder'

const ROLE_BYTE: Readonly<Record<Role, number>> = { initiator: 1, responder: 2 }
const HAS_CHAIN = 1
const REQUIRES_IDENTITY = 2
const ANONYMOUS = 0
const IDENTIFIED = 1

export interface ResponderProof {
  readonly signedManifest: Uint8Array
  readonly chain: Uint8Array | undefined
  readonly requiresIdentity: boolean
  readonly signature: Uint8Array
}

/** Undefined for an anonymous initiator. */
export type InitiatorProof =
  | { readonly signedManifest: Uint8Array; readonly signature: Uint8Array }
  | undefined

export interface ProvenPeer {
  readonly name: CapsuleName
  readonly manifest: Manifest
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}

/** The bytes that a proof's signature covers. */
function proofMessage(role: Role, transcript: Hash, name: CapsuleName): Uint8Array {
  const context = signingContextBytes('session')
  return concatBytes(context, Uint8Array.of(ROLE_BYTE[role]), transcript, name)
}

export function signProof(role: Role, transcript: Hash, identity: NodeIdentity): Uint8Array {
  return identity.identity.sign(proofMessage(role, transcript, identity.name))
}

/**
 * Who made a proof.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`, or the codes of `openManifest`.
 */
export function verifyProof(
  role: Role,
  transcript: Hash,
  proof: { readonly signedManifest: Uint8Array; readonly signature: Uint8Array },
): ProvenPeer {
  const { name, manifest } = openManifest(proof.signedManifest)
  const key = manifestKey(manifest, 'identity').ed25519
  verifySignature(key, proofMessage(role, transcript, name), proof.signature)
  return { name, manifest }
}

function withLength(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + bytes.length)
  writeUint32(out, 0, bytes.length)
  out.set(bytes, 4)
  return out
}

/** Bytes with their length before them, from `at`; at most `bytesMax`. */
function readWithLength(bytes: Uint8Array, at: number, bytesMax: number): Uint8Array {
  if (at + 4 > bytes.length) fail('a proof is cut off')
  const length = readUint32(bytes, at)
  if (length > bytesMax || at + 4 + length > bytes.length) fail('a proof claims too many bytes')
  return bytes.slice(at + 4, at + 4 + length)
}

function readSignature(bytes: Uint8Array, at: number): Uint8Array {
  if (bytes.length !== at + SIGNATURE_BYTES) fail('a proof ends with its signature')
  return bytes.slice(at)
}

export function encodeResponderProof(proof: ResponderProof): Uint8Array {
  const { signedManifest, chain, requiresIdentity, signature } = proof
  const flags = (chain === undefined ? 0 : HAS_CHAIN) | (requiresIdentity ? REQUIRES_IDENTITY : 0)
  const parts = [Uint8Array.of(flags), withLength(signedManifest)]
  if (chain !== undefined) parts.push(withLength(chain))
  return concatBytes(...parts, signature)
}

export function decodeResponderProof(bytes: Uint8Array): ResponderProof {
  const flags = bytes[0] ?? 0xff
  if (flags > (HAS_CHAIN | REQUIRES_IDENTITY)) fail('a proof with unknown flags')
  const signedManifest = readWithLength(bytes, 1, MANIFEST_SIGNED_BYTES_MAX)
  const end = 5 + signedManifest.length
  const requiresIdentity = (flags & REQUIRES_IDENTITY) !== 0
  if ((flags & HAS_CHAIN) === 0) {
    const signature = readSignature(bytes, end)
    return { signedManifest, chain: undefined, requiresIdentity, signature }
  }
  const chain = readWithLength(bytes, end, CHAIN_BYTES_MAX)
  const signature = readSignature(bytes, end + 4 + chain.length)
  return { signedManifest, chain, requiresIdentity, signature }
}

export function encodeInitiatorProof(proof: InitiatorProof): Uint8Array {
  if (proof === undefined) return Uint8Array.of(ANONYMOUS)
  const { signedManifest, signature } = proof
  return concatBytes(Uint8Array.of(IDENTIFIED), withLength(signedManifest), signature)
}

export function decodeInitiatorProof(bytes: Uint8Array): InitiatorProof {
  if (bytes.length === 1 && bytes[0] === ANONYMOUS) return undefined
  if (bytes[0] !== IDENTIFIED) fail('a proof of no known kind')
  const signedManifest = readWithLength(bytes, 1, MANIFEST_SIGNED_BYTES_MAX)
  return { signedManifest, signature: readSignature(bytes, 5 + signedManifest.length) }
}
