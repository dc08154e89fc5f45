/**
 * Entries that came over the network, as applications see them. They were verified on their way.
 *
 * @module
 */
import { decodeHeader } from '@longshore/capsule'
import type { StoredEntry } from '@longshore/engine'
import { VerifiedEntry } from '../verified-entry.ts'
import type { RemoteEntries } from './remote-channel.ts'

/** u16 length of the header, state, zero. */
const FRAME_PREFIX_BYTES = 4
const STATE_PRESENT = 1

/** Header bytes and bodies, in the form in which a store gives them. */
export function storedEntries({ start, entries, erased }: RemoteEntries): StoredEntry[] {
  const { frames, offsets, count } = entries
  const stored: StoredEntry[] = []
  for (let i = 0; i < count; i++) {
    const at = offsets[i] as number
    const end = i + 1 < count ? (offsets[i + 1] as number) : frames.length
    const headerEnd =
      at + FRAME_PREFIX_BYTES + (((frames[at] as number) << 8) | (frames[at + 1] as number))
    const index = start + i
    const header = frames.slice(at + FRAME_PREFIX_BYTES, headerEnd)
    if (frames[at + 2] === STATE_PRESENT) {
      stored.push({ index, header, state: 'present', body: frames.slice(headerEnd, end) })
    } else {
      const state = erased.includes(index) ? 'erased' : 'absent'
      stored.push({ index, header, state, body: undefined })
    }
  }
  return stored
}

export function verifiedEntries(arrived: RemoteEntries): VerifiedEntry[] {
  return storedEntries(arrived).map(
    (stored) => new VerifiedEntry(stored, decodeHeader(stored.header)),
  )
}
