/**
 * Whom to ask about a branch that is elsewhere, and what to be content with.
 *
 * @module
 */
import type { BranchId, CapsuleName, Head, VerificationError } from '@longshore/capsule'

export interface RemoteBranchOptions {
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Mirrors that are known without asking, and what lets them serve the capsule. */
  readonly mirrors: readonly ServingNode[]
  /** Only these are asked. Default false: whoever else serves the capsule, too. */
  readonly isExclusive?: boolean
  /** The last head that was read. */
  readonly remembered: Head | undefined
  /** Keeps a head; nothing under it is handed on before. */
  readonly keepHead: (head: Head) => Promise<void>
  /** How many distinct mirrors must have cosigned what is read. */
  readonly mirrorsMin: number
  /** How old the newest statement of the head may be. */
  readonly freshS: number | undefined
  /** Shown to the mirrors. */
  readonly memberships: readonly Uint8Array[]
  /** Keeps evidence against the writer. Returns what is to be said about it. */
  readonly convict: (evidence: Uint8Array) => VerificationError
  /** How long to wait for an answer that does not come. */
  readonly timeoutMs: number
}

/** A node that serves the capsule. */
export interface ServingNode {
  readonly name: CapsuleName
  /** AdCert chain, encoded. */
  readonly chain: Uint8Array
}
