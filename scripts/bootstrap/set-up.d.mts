/** Types of set-up.mjs, which stays JavaScript so that any Node from 18 on runs it. */

/** What set-up depends on besides the clone; an argument so that tests can be another machine. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  /** Of the running Node, with its `v`. */
  readonly version: string
  /** Of the running Node. */
  readonly execPath: string
  /** Whether the C library is not glibc. */
  readonly musl: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (text: string) => void
}

/** Something that only a person can put right; the message is one sentence that says how. */
export class SetupError extends Error {}

export function thisMachine(): Machine

/**
 * Returns the path of the Node to run the product with, after installing whatever is missing.
 *
 * @throws {SetupError} where the machine cannot be set up
 */
export function setUp(root: string, machine?: Machine): Promise<string>
