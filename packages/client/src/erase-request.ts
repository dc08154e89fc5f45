/**
 * Which payloads a call of `erase` names, in the one form that an erase entry has.
 *
 * @module
 */
import { ERASE_RANGES_MAX, UsageError } from '@longshore/capsule'
import { type IndexRange, RangeSet } from '@longshore/engine'

/** @throws {UsageError} `INDEX_OUT_OF_RANGE`, or `USAGE` for none or too many. */
export function checkEraseRanges(
  ranges: readonly (number | { readonly start: number; readonly end: number })[],
): readonly IndexRange[] {
  const set = new RangeSet()
  for (const range of ranges) {
    const { start, end } = typeof range === 'number' ? { start: range, end: range + 1 } : range
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end)
    if (!isRange || start < 0 || end <= start) {
      throw new UsageError('INDEX_OUT_OF_RANGE', 'a range to erase is start <= index < end', {
        start: String(start),
        end: String(end),
      })
    }
    set.add(start, end)
  }
  const { length } = set.ranges
  if (length === 0) throw new UsageError('USAGE', 'there is nothing to erase')
  if (length > ERASE_RANGES_MAX) {
    throw new UsageError('USAGE', `one erase entry names at most ${ERASE_RANGES_MAX} ranges`, {
      rangeCount: length,
    })
  }
  return set.ranges
}
