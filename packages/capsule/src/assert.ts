/**
 * Assertions for our own mistakes. They stay on in production.
 *
 * An assertion that fails is a defect in this program, never in its input: bytes from outside are
 * answered with the classes of `errors.ts`.
 *
 * @module
 */

/** Not one of the four error classes on purpose: nobody should catch it and go on. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure'
}

/** Throws unless `condition` holds. `why` says what makes it hold in a correct program. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionFailure(why)
}
