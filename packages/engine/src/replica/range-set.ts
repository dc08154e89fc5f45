/**
 * A set of indices as ranges: what an erase entry names, or which payloads are missing.
 *
 * @module
 */
import type { IndexRange } from '../store/store.ts'

export class RangeSet {
  /** Ascending, neither overlapping nor touching. */
  #ranges: { start: number; end: number }[] = []

  get ranges(): readonly IndexRange[] {
    return this.#ranges
  }

  /** Indices in the set. */
  get count(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** Adds start <= index < end. Cheap at the end, where almost all additions happen. */
  add(start: number, end: number): void {
    const last = this.#ranges.at(-1)
    if (last === undefined || start > last.end) {
      this.#ranges.push({ start, end })
      return
    }
    // Everything from `from` to before `to` touches the new range and melts into it.
    const from = this.#firstEndingAtOrAfter(start)
    let to = from
    let merged = { start, end }
    for (let range = this.#ranges[to]; range !== undefined && range.start <= end; ) {
      merged = { start: Math.min(merged.start, range.start), end: Math.max(merged.end, range.end) }
      range = this.#ranges[++to]
    }
    this.#ranges.splice(from, to - from, merged)
  }

  /** Removes start <= index < end. */
  remove(start: number, end: number): void {
    const from = this.#firstEndingAtOrAfter(start + 1)
    let to = from
    const rest: { start: number; end: number }[] = []
    for (let range = this.#ranges[to]; range !== undefined && range.start < end; ) {
      if (range.start < start) rest.push({ start: range.start, end: start })
      if (range.end > end) rest.push({ start: end, end: range.end })
      range = this.#ranges[++to]
    }
    this.#ranges.splice(from, to - from, ...rest)
  }

  has(index: number): boolean {
    const range = this.#ranges[this.#firstEndingAtOrAfter(index + 1)]
    return range !== undefined && range.start <= index
  }

  /** The first index of `other` that this set lacks. */
  firstMissing(other: RangeSet): number | undefined {
    for (const { start, end } of other.#ranges) {
      const range = this.#ranges[this.#firstEndingAtOrAfter(start + 1)]
      if (range === undefined || range.start > start) return start
      if (range.end < end) return range.end
    }
    return undefined
  }

  /** The smallest index in the set. */
  get first(): number | undefined {
    return this.#ranges[0]?.start
  }

  #firstEndingAtOrAfter(index: number): number {
    let [low, high] = [0, this.#ranges.length]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#ranges[middle]!.end < index) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** At most `countMax` ranges that cover these: the last one takes in what is too much. */
export function coarsen(ranges: readonly IndexRange[], countMax: number): readonly IndexRange[] {
  if (ranges.length <= countMax) return ranges
  const rest = ranges.slice(countMax - 1) as [IndexRange, ...IndexRange[]]
  const last = { start: rest[0].start, end: (rest.at(-1) as IndexRange).end }
  return [...ranges.slice(0, countMax - 1), last]
}
