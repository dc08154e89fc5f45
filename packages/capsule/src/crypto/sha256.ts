/**
 * SHA-256, the only hash of the format.
 *
 * @module
 */
import { backend } from '#crypto'
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { HASH_BYTES } from '../limits.ts'

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Hash {
  const hash = new Uint8Array(HASH_BYTES)
  backend.sha256Into(hash, 0, bytes, 0, bytes.length)
  return hash as Hash
}

/**
 * Writes SHA-256 of `input[start, end)` to `out[outOffset, outOffset + 32)`. For hot paths:
 * nothing is allocated but, where needed, a view of the input. `input` and `out` may be the same
 * array; the output is written last.
 */
export function sha256Into(
  out: Uint8Array,
  outOffset: number,
  input: Uint8Array,
  start: number,
  end: number,
): void {
  assert(start >= 0 && start <= end && end <= input.length, 'the range lies in the input')
  assert(outOffset >= 0 && outOffset + HASH_BYTES <= out.length, 'the output has room')
  backend.sha256Into(out, outOffset, input, start, end)
}

/**
 * SHA-256 of `count` ranges of one array, three numbers each: start, end, and where in `out` the
 * digest goes. The ranges follow each other; `out` may be `input`, as long as no digest is written
 * into a range. For many small messages much faster than one call each.
 */
export function sha256Ranges(
  input: Uint8Array,
  ranges: Uint32Array,
  count: number,
  out: Uint8Array,
): void {
  let before = 0
  for (let i = 0; i < 3 * count; i += 3) {
    const [start, end, to] = [ranges[i] as number, ranges[i + 1] as number, ranges[i + 2] as number]
    assert(before <= start && start <= end && end <= input.length, 'ranges follow each other')
    assert(to + HASH_BYTES <= out.length, 'the output has room')
    before = end
  }
  if (count > 1 && backend.many !== undefined) {
    backend.many().ranges(input, ranges, count, out)
    return
  }
  for (let i = 0; i < 3 * count; i += 3) {
    const [start, end, to] = [ranges[i] as number, ranges[i + 1] as number, ranges[i + 2] as number]
    backend.sha256Into(out, to, input, start, end)
  }
}
