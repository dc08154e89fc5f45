/**
 * What a node tells its sessions, and what they answer.
 *
 * @module
 */
import type { CapsuleName, LongshoreError, Manifest } from '@longshore/capsule'

/** The caller's own sessions count up below 2^32; those that peers opened are above. */
export type SessionId = number

/** Ids of sessions that a peer opened begin here. */
export const ACCEPTED_SESSION_FIRST = 0x1_0000_0000

export interface Peer {
  /** Proven if there is a manifest; else only where its packets come from. */
  readonly name: CapsuleName
  /** Undefined: an anonymous initiator. */
  readonly manifest: Manifest | undefined
  /** The same as its owner signed it, to be handed on. */
  readonly signedManifest: Uint8Array | undefined
  /** The certificates that a responder showed. Who opened the session verifies them. */
  readonly chain: Uint8Array | undefined
}

/** What a node says to someone who asks for a name. */
export interface Acceptance {
  /** Shown to the initiator: why this node may serve the name. */
  readonly chain: Uint8Array | undefined
  /** Anonymous initiators are turned away. */
  readonly requiresIdentity?: boolean
}

export type SessionEvent =
  /** To a principal, or to a capsule: then whoever serves it answers. */
  | {
      readonly type: 'open'
      readonly session: SessionId
      readonly target: CapsuleName
      readonly isAnonymous?: boolean
    }
  /** The message belongs to the session until it is acknowledged: do not change it. */
  | {
      readonly type: 'send'
      readonly session: SessionId
      readonly message: Uint8Array
      readonly isBulk: boolean
    }
  /** The application is done with so many bytes of messages: the peer may send more. */
  | { readonly type: 'consumed'; readonly session: SessionId; readonly bytes: number }
  | { readonly type: 'close'; readonly session: SessionId }
  /** The payload belongs to the sessions from here on. */
  | {
      readonly type: 'deliver'
      readonly source: CapsuleName
      readonly destination: CapsuleName
      readonly payload: Uint8Array
    }
  | { readonly type: 'path-changed'; readonly destination: CapsuleName | undefined }
  | {
      readonly type: 'unreachable'
      readonly destination: CapsuleName
      readonly code: 'NO_ROUTE' | 'POLICY_REFUSED' | 'HOPS_EXCEEDED'
      readonly message: string
    }
  | { readonly type: 'tick' }

export type SessionEffect =
  | {
      readonly type: 'datagram'
      readonly destination: CapsuleName
      readonly payload: Uint8Array
      readonly isBulk: boolean
    }
  | {
      readonly type: 'opened'
      readonly session: SessionId
      readonly peer: Peer
      readonly target: CapsuleName
      readonly isInitiator: boolean
    }
  | {
      readonly type: 'message'
      readonly session: SessionId
      readonly message: Uint8Array
      readonly isBulk: boolean
    }
  | { readonly type: 'writable'; readonly session: SessionId }
  | {
      readonly type: 'closed'
      readonly session: SessionId
      readonly error: LongshoreError | undefined
    }
  /** The next due time; replaces the one before. */
  | { readonly type: 'wake'; readonly atUs: number }

export type Emit = (effect: SessionEffect) => void
