/**
 * Where reading begins.
 *
 * @module
 */
import { UsageError } from '@longshore/capsule'
import type { ReadOptions } from './capsule.ts'

/**
 * Index of the first entry to read from a capsule of `size` entries. Undefined: no entry yet has
 * the time that was asked for.
 *
 * @throws {UsageError} `USAGE`, `INDEX_OUT_OF_RANGE`, `TIME_INVALID`
 */
export function resolveStart(
  options: ReadOptions,
  size: number,
  indexAtTime: (timeUs: number) => number,
): number | undefined {
  const { from, to, last, sinceUs } = options
  const given = [from, last, sinceUs].filter((option) => option !== undefined)
  if (given.length > 1) {
    throw new UsageError('USAGE', 'from, last and since exclude each other')
  }
  for (const bound of [from, to, last]) {
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound >= 0)) {
      throw new UsageError('INDEX_OUT_OF_RANGE', 'an index is an integer from 0', {
        index: String(bound),
      })
    }
  }
  if (last !== undefined) return Math.max(0, Math.min(size, to ?? size) - last)
  if (sinceUs === undefined) return from ?? 0
  if (!(Number.isSafeInteger(sinceUs) && sinceUs >= 0)) {
    throw new UsageError('TIME_INVALID', 'a time is an integer from 0 to 2^53 - 1 microseconds')
  }
  const index = indexAtTime(sinceUs)
  return index < size ? index : undefined
}
