/**
 * What a mirror asks of the node around it, and what it has done by it.
 *
 * @module
 */
import type {
  BranchId,
  CapsuleName,
  Head,
  LongshoreError,
  RoleKey,
  SignedManifest,
  Signer,
} from '@longshore/capsule'
import type { Runtime } from '../runtime/runtime.ts'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import type { BranchWriter } from '../writer/branch-writer.ts'
import type { ReplicaLimits } from './limits.ts'

/** Numbers of the session room; a mirror only repeats them. */
export type SessionId = number

/** Who is on the other side of a session; undefined: somebody who did not say. */
export interface SessionPeer {
  readonly name: CapsuleName | undefined
  /** Of its manifest, if it is a node: what its statements are verified with. */
  readonly mirrorKey?: RoleKey
  /** Memberships that it has shown, encoded and not verified. Default: none. */
  readonly chains?: readonly Uint8Array[]
}

/** What the operator and the owner's certificates allow. Everything that refuses throws. */
export interface MirrorPolicy {
  /**
   * May this node hold the capsule? Verifies the chain (right `serve`) and the policy's domains.
   *
   * @throws {VerificationError} `CERT_…`
   * @throws {UnavailableError} `POLICY_REFUSED`, `LEVEL_UNSUPPORTED`
   */
  checkOffer(capsule: SignedManifest, chain: Uint8Array, peer: SessionPeer): void
  /** Is this chain, by which a capsule was taken on, one of this node's own? */
  isOwnChain(chain: Uint8Array): boolean
  /** May the peer read it? */
  mayRead(capsule: SignedManifest, peer: SessionPeer): boolean
  /** Bytes that may still be stored, by quota and by free space; asked before anything is taken. */
  bytesFree(): number
}

export interface MirrorOptions {
  readonly store: StoreReader
  readonly runtime: Runtime
  /** Key of the node's manifest that cosigns what it holds durably. */
  readonly mirror: Signer
  /** Opens the writer of the node's head log at its committed size. */
  readonly openHeadLog: () => BranchWriter
  readonly policy: MirrorPolicy
  /** False while the window of a session is full: nothing is made for it until then. */
  readonly canSend: (session: SessionId) => boolean
  /** Shows in which domains this node holds copies, encoded. Default: in none. */
  readonly memberships?: () => readonly Uint8Array[]
  /** Whether anybody gets what this node publishes of a capsule: nothing is made for nobody. */
  readonly hasSubscribers: (name: CapsuleName) => boolean
  readonly limits?: Partial<ReplicaLimits>
  /** What it accepts lies in it until it is committed. */
  readonly spares?: SpareMemory
}

export interface SendEffect {
  readonly type: 'send'
  readonly session: SessionId
  readonly message: Uint8Array
  readonly isBulk: boolean
}

export type MirrorEffect =
  | SendEffect
  /** These bytes of received messages are durable or done with: credit goes back to the sender. */
  | { readonly type: 'consumed'; readonly session: SessionId; readonly bytes: number }
  | { readonly type: 'close-session'; readonly session: SessionId; readonly error?: LongshoreError }
  /** Something is pending: call `cut` with the next commit. */
  | { readonly type: 'request-cut' }
  /** Held from now on: advertise it with this chain. */
  | {
      readonly type: 'advertise'
      readonly name: CapsuleName
      readonly manifest: Uint8Array
      readonly chain: Uint8Array
    }
  /** Held no longer, or not for now. */
  | { readonly type: 'withdraw'; readonly name: CapsuleName }
  /** To whoever subscribed to this public capsule. */
  | { readonly type: 'publish'; readonly name: CapsuleName; readonly payload: Uint8Array }
  /** Another mirror of a capsule is wanted; answer with `opened`, or with `unreachable`. */
  | { readonly type: 'open-session'; readonly target: CapsuleName }
  /** A part of the capsule was lost on this disk. */
  | { readonly type: 'damaged'; readonly name: CapsuleName }
  /** Who serves this capsule? It cannot be advertised, because its manifest was lost. */
  | { readonly type: 'seek'; readonly name: CapsuleName }
  /** The damaged copy is gone, and is filled again by other mirrors. */
  | { readonly type: 'mending'; readonly name: CapsuleName }
  /** All is there again that was stated. */
  | { readonly type: 'mended'; readonly name: CapsuleName }
  /** The writer signed two histories: keep this file, it convicts. */
  | { readonly type: 'evidence'; readonly name: CapsuleName; readonly bytes: Uint8Array }
  | {
      readonly type: 'advanced'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly head: Head
    }

/** One group commit; exactly one of `committed` and `failed` is called. */
export interface MirrorTransaction {
  readonly ops: readonly StoreOp[]
  /** Synced and not yet visible: the anchor of the head log is written. */
  durable(): void
  committed(): MirrorEffect[]
  failed(error: Error): MirrorEffect[]
}
