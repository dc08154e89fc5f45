/**
 * Whether a writer may sign: what it knows about its own past.
 *
 * Rules WR7 and WR8 of docs/spec/writer.md.
 *
 * @module
 */
import { UnavailableError } from '@longshore/capsule'
import type { Anchor, AnchorDoubt } from './anchor.ts'

/** Changed by the writer only. */
export type Standing =
  | { readonly state: 'ready'; readonly instance: Uint8Array }
  | {
      readonly state: 'unknown'
      readonly doubt: AnchorDoubt
      readonly anchor: Anchor | undefined
      /** The home is exactly what the anchor says: `catchUp` is open. */
      readonly isCaughtUp: boolean
      /** The home holds everything that the anchor says. */
      readonly isCovered: boolean
    }
  /** On the way from unknown to ready; `isCut` once the note is on its way to the store. */
  | { readonly state: 'adopting'; readonly instance: Uint8Array; readonly isCut: boolean }

const REASONS: Readonly<Record<AnchorDoubt, string>> = Object.freeze({
  missing: 'this machine has no anchor for the capsule: it may have been written elsewhere',
  'other-instance': 'the home or its anchor was replaced: other entries may have been signed',
  ahead: 'the home is older than what this machine has already signed for the capsule',
  diverged: 'the home holds other entries than this machine has signed for the capsule',
})

/** The error of everything that would need a signature. */
export function unknownState(doubt: AnchorDoubt | undefined): UnavailableError {
  const message = doubt === undefined ? 'the writer is just being taken over' : REASONS[doubt]
  return new UnavailableError('WRITER_STATE_UNKNOWN', message, { doubt: doubt ?? 'adopting' })
}
