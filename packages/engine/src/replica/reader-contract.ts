/**
 * What a remote reader is made with, and what it asks for and reports.
 *
 * @module
 */
import type { CapsuleName, Hash, Head, LongshoreError } from '@longshore/capsule'
import type { EntryBatch } from '../store/entry-batch.ts'
import type { BranchPlace } from './entries-source.ts'
import type { SendEffect, SessionId } from './mirror-contract.ts'

export interface ReaderOptions extends BranchPlace {
  /** The last head that was in force, from an earlier reader. */
  readonly remembered?: Head
  /** How many distinct mirrors must have cosigned a head. Default 0: none. */
  readonly mirrorsMin?: number
  /** How old the newest statement of a head may be. Default: any age. */
  readonly ageSMax?: number
  /** Microseconds since 1970. */
  readonly nowUs: () => number
  /**
   * Memberships of the reader, encoded, shown to every mirror before anything is asked; then the
   * mirrors show theirs. Default: neither shows any.
   */
  readonly memberships?: readonly Uint8Array[]
  /**
   * Go by what is published along the multicast tree, where everybody may read the capsule and
   * neither mirrors nor an age are demanded. Default true.
   */
  readonly usesMulticast?: boolean
}

export type ReaderEffect =
  | SendEffect
  | { readonly type: 'consumed'; readonly session: SessionId; readonly bytes: number }
  /** Hand on what is published of this capsule to `published`, and gaps to `missed`. */
  | { readonly type: 'subscribe'; readonly name: CapsuleName }
  | { readonly type: 'unsubscribe'; readonly name: CapsuleName }
  /** In force from now on: keep it. */
  | { readonly type: 'head'; readonly head: Head }
  | {
      readonly type: 'entries'
      readonly request: number
      readonly start: number
      readonly entries: EntryBatch
      /** Indices whose payload the mirror says was erased: its claim. */
      readonly erased: readonly number[]
      /** From the tile that they are in, up to the end of these entries, to the root of `tree`. */
      readonly path: readonly Hash[]
      /** The message that brought them, and the head that it verifies under: to be taken in. */
      readonly message: Uint8Array
      readonly tree: Head
    }
  /** Everything of a `read` has come. */
  | { readonly type: 'end'; readonly request: number }
  | { readonly type: 'failed'; readonly request: number; readonly error: LongshoreError }
  /** What this mirror said does not verify: it is not asked again. */
  | { readonly type: 'distrusted'; readonly session: SessionId; readonly error: LongshoreError }
  /** The mirror cannot answer now. */
  | { readonly type: 'refused'; readonly session: SessionId; readonly error: LongshoreError }
  /** The writer signed two histories: everything that was asked for fails. */
  | { readonly type: 'evidence'; readonly bytes: Uint8Array }
