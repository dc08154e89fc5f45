/**
 * A part of a node that talks to other principals through sessions: the mirror, the publisher, a
 * reader. It is told what happens in its sessions and answers with what it wants done.
 *
 * @module
 */
import type { CapsuleName, CertChain, LongshoreError } from '@longshore/capsule'
import type { Acceptance, Peer, SessionId } from '../session/events.ts'

export type ServiceEffect =
  | {
      readonly type: 'send'
      readonly session: SessionId
      readonly message: Uint8Array
      readonly isBulk: boolean
    }
  /** These bytes of received messages are done with: credit goes back to the sender. */
  | { readonly type: 'consumed'; readonly session: SessionId; readonly bytes: number }
  | { readonly type: 'close-session'; readonly session: SessionId }
  /** Answered with `opened`, or with `closed` and the reason. */
  | { readonly type: 'open-session'; readonly target: CapsuleName }
