/**
 * Long work in slices: whoever runs it decides what happens between two of them.
 *
 * A generator that yields nothing and is called again is the one form in which synchronous code
 * can stop halfway. What may change between two slices is for the work to say.
 *
 * @module
 */

export type Slices<TResult> = Generator<undefined, TResult, undefined>

/** All slices, one after the other, with nothing between them. */
export function runSlices<TResult>(work: Slices<TResult>): TResult {
  for (;;) {
    const slice = work.next()
    if (slice.done === true) return slice.value
  }
}
