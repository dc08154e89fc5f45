/**
 * What an overlay is told, and what it asks for and reports.
 *
 * @module
 */
import type { CapsuleName, CertChain, ErrorCode, SignedManifest, Ticket } from '@longshore/capsule'
import type { TransportEffect, TransportEvent } from '../transport/transport.ts'
import type { TraceHop } from './control-frame.ts'
import type { UnreachableCode } from './frame.ts'

/** Membership of this node in its domain. */
export interface Membership {
  readonly name: CapsuleName
  readonly chain: CertChain
}

export type OverlayEvent =
  | TransportEvent
  /** Keep a link to this neighbor; dial again whenever it is lost. */
  | { readonly type: 'join'; readonly ticket: Ticket }
  | { readonly type: 'leave'; readonly principal: CapsuleName }
  /** `source` is a name of this node. The payload must not change any more. */
  | {
      readonly type: 'send'
      readonly destination: CapsuleName
      readonly source: CapsuleName
      readonly payload: Uint8Array
      readonly isBulk: boolean
    }
  /**
   * Answer for this capsule, and tell every router that this node has joined, until it is withdrawn
   * or the chain expires; a newer chain takes the place of the one before. `step` throws a
   * VerificationError for a chain that does not hold.
   */
  | {
      readonly type: 'advertise'
      readonly name: CapsuleName
      readonly capsule: Uint8Array
      /** Encoded. */
      readonly chain: Uint8Array
    }
  | { readonly type: 'withdraw'; readonly names: readonly CapsuleName[] }
  | { readonly type: 'resolve'; readonly request: number; readonly name: CapsuleName }
  | { readonly type: 'trace'; readonly request: number; readonly name: CapsuleName }
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly name: CapsuleName }
  /** To all subscribers of a capsule that this node advertises. */
  | { readonly type: 'publish'; readonly name: CapsuleName; readonly payload: Uint8Array }
  /** A newer certificate chain; links that come up from now on show it. */
  | { readonly type: 'membership'; readonly domain: Membership }
  /** Say goodbye on every link and dial no more; this node stops. */
  | { readonly type: 'shutdown' }
  /** Something may be due. */
  | { readonly type: 'tick' }

/** A place that serves a name, with everything that shows it; verified. */
export interface RouteEntry {
  readonly name: CapsuleName
  /** The node that serves. */
  readonly server: CapsuleName
  /** From here to there, as far as it was measured; microseconds. */
  readonly costUs: number
  /** Last second in which all of its certificates hold. */
  readonly expiresS: number
  readonly capsule: SignedManifest
  /** Encoded AdCert chain; null for the name of the serving node itself. */
  readonly chain: Uint8Array | null
}

export type OverlayEffect =
  | TransportEffect
  | {
      readonly type: 'deliver'
      readonly source: CapsuleName
      /** A name of this node. */
      readonly destination: CapsuleName
      /** Part of what a connection brought; nobody else uses these bytes. */
      readonly payload: Uint8Array
    }
  | {
      readonly type: 'unreachable'
      readonly destination: CapsuleName
      readonly code: UnreachableCode
      /** Who says so; a claim. */
      readonly by: CapsuleName
      readonly message: string
    }
  /** Frames may have been lost and go another way now. Undefined: to anywhere. */
  | { readonly type: 'path-changed'; readonly destination: CapsuleName | undefined }
  | {
      readonly type: 'resolved'
      readonly request: number
      readonly name: CapsuleName
      /** The cheapest first; none if nobody is known to serve the name. */
      readonly entries: readonly RouteEntry[]
      /** Why there is none. */
      readonly code: ErrorCode | undefined
    }
  | {
      readonly type: 'traced'
      readonly request: number
      readonly name: CapsuleName
      /** From this node to the one that serves, or as far as the trace came. */
      readonly hops: readonly TraceHop[]
      readonly code: ErrorCode | undefined
    }
  | {
      readonly type: 'published'
      readonly name: CapsuleName
      readonly publisher: CapsuleName
      readonly payload: Uint8Array
    }
  /** Something that was published to this name may not have come. */
  | { readonly type: 'gap'; readonly name: CapsuleName }
  | {
      readonly type: 'link-up' | 'link-down'
      readonly principal: CapsuleName
      readonly isRouter: boolean
      readonly remote: string
      /** Why it is down. */
      readonly reason: string
    }
  | {
      readonly type: 'advertised'
      readonly name: CapsuleName
      readonly router: CapsuleName
      readonly expiresS: number
    }
  | {
      readonly type: 'refused'
      readonly name: CapsuleName
      readonly router: CapsuleName
      readonly code: ErrorCode
    }
  /** When something is due next; replaces the one before. */
  | { readonly type: 'wake'; readonly atUs: number }
