/**
 * What a node needs to act as itself on the network.
 *
 * @module
 */
import type { CapsuleName, Manifest, Signer } from '@longshore/capsule'

export interface NodeIdentity {
  readonly name: CapsuleName
  readonly signedManifest: Uint8Array
  readonly manifest: Manifest
  /** Certificates, sessions, statements. */
  readonly identity: Signer
  /** Cosignatures. */
  readonly mirror: Signer
}
