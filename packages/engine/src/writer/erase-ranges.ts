/**
 * Brings the ranges of an erase request into the one form that an erase entry has: ascending,
 * disjoint, not touching.
 *
 * Rule WR12 of docs/spec/writer.md.
 *
 * @module
 */
import { ERASE_RANGES_MAX, UsageError } from '@longshore/capsule'
import type { IndexRange } from '../store/store.ts'

/**
 * @throws {UsageError} `INDEX_OUT_OF_RANGE` unless every range is within the first `size`
 * entries and not empty; `USAGE` if there are none, or more than an entry can name.
 */
export function normalizeEraseRanges(ranges: readonly IndexRange[], size: number): IndexRange[] {
  for (const { start, end } of ranges) {
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end)
    if (!whole || start < 0 || end <= start || end > size) {
      const details = { start, end, size }
      throw new UsageError('INDEX_OUT_OF_RANGE', 'only entries that exist can be erased', details)
    }
  }
  const joined: { start: number; end: number }[] = []
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else joined.push({ start, end })
  }
  if (joined.length === 0) throw new UsageError('USAGE', 'there is nothing to erase')
  if (joined.length > ERASE_RANGES_MAX) {
    const details = { ranges: joined.length, rangesMax: ERASE_RANGES_MAX }
    throw new UsageError('USAGE', 'one erase entry cannot name so many ranges', details)
  }
  return joined
}
