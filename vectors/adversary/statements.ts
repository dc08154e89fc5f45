/**
 * What the product's verifiers read in everything but receipts, as statements for an attack.
 *
 * Each reader takes bytes from outside and the few facts that its caller already trusts.
 *
 * @module
 */
import {
  asBranchId,
  asCapsuleName,
  asHash,
  asPublicKey,
  asRoleKey,
  decodeHead,
  decodeHeader,
  decodeUtf8,
  formatName,
  type Hash,
  hashLeaf,
  manifestKey,
  openBody,
  openCheckpoint,
  openManifest,
  parseVkey,
  VerificationError,
  verifyEquivocation,
  verifyHead,
  verifyPackage,
} from '@longshore/capsule'
import { bytesOf, hexOf } from '../read-vectors.ts'
import type { Statement } from './attack.ts'

export interface TrustedWriter {
  readonly name: string
  readonly branch: string
  readonly writerKey: string
  /** A cosigner to look for, as vkey. */
  readonly cosigner?: { readonly vkey: string }
}

export function readCheckpoint(trusted: TrustedWriter, note: Uint8Array): Statement {
  const text = decodeUtf8(note)
  if (text === undefined) throw new VerificationError('NOTE_INVALID', 'not UTF-8')
  const { head, heartbeatS, cosignatures } = openCheckpoint(text, {
    name: asCapsuleName(bytesOf(trusted.name)),
    branch: asBranchId(bytesOf(trusted.branch)),
    writerKey: asRoleKey(asPublicKey(bytesOf(trusted.writerKey))),
    cosigners: trusted.cosigner === undefined ? [] : [parseVkey(trusted.cosigner.vkey)],
  })
  const extras = cosignatures.map(({ key, timeS }) => `${key.name} at ${timeS}`)
  if (heartbeatS !== undefined) extras.push(`heartbeat at ${heartbeatS}`)
  return { says: `${head.size} ${hexOf(head.root)} ${hexOf(head.branch)}`, extras }
}

export function readManifest(signed: Uint8Array): Statement {
  const { name, manifest } = openManifest(signed)
  return { says: `${formatName(name)} by ${hexOf(manifestKey(manifest, 'owner').ed25519)}` }
}

/** A compact head. The epoch is not signed: it chooses the key, and only that of 0 is known. */
export function readHead(trusted: TrustedWriter, bytes: Uint8Array): Statement {
  const head = decodeHead(bytes)
  if (head.epoch !== 0) throw new VerificationError('BAD_SIGNATURE', 'no key for this epoch')
  const writerKey = asRoleKey(asPublicKey(bytesOf(trusted.writerKey)))
  verifyHead(asCapsuleName(bytesOf(trusted.name)), head, writerKey)
  return { says: `${head.size} ${hexOf(head.root)} ${hexOf(head.branch)}` }
}

/** A header and a body under a leaf hash that a proof has led to. */
export function readEntry(leafHash: Hash, header: Uint8Array, body: Uint8Array): Statement {
  const decoded = decodeHeader(header)
  if (hexOf(hashLeaf(header)) !== hexOf(leafHash)) {
    throw new VerificationError('ROOT_MISMATCH', 'another leaf')
  }
  return { says: `${hexOf(header)} ${hexOf(openBody(decoded, body))}` }
}

export interface TrustedRange {
  readonly start: number
  readonly end: number
  readonly size: number
  readonly root: string
  readonly prior: readonly string[]
}

export function readPackage(trusted: TrustedRange, bytes: Uint8Array): Statement {
  const { start, end, size } = trusted
  const prior = Buffer.concat(trusted.prior.map(bytesOf))
  const target = { start, end, size, root: asHash(bytesOf(trusted.root)) }
  return { says: verifyPackage(target, bytes, prior).headers.map(hexOf).join(' ') }
}

/** Whoever is convicted by a changed file must be the one that the original convicts. */
export function readEvidence(bytes: Uint8Array): Statement {
  const { name, writerKey, branch, sizes } = verifyEquivocation(bytes)
  return { says: [formatName(name), hexOf(writerKey.ed25519), hexOf(branch), ...sizes].join(' ') }
}
