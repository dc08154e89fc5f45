/**
 * The text of a checkpoint, C2SP tlog-checkpoint v1.0.0: what is signed about a tree.
 *
 *     longshore/bafyrei…                              origin
 *     3                                               size, decimal
 *     bDmYGFXgjWJqOgLuGjwO8bCVn2wKQpC9Z8nuZmFgNM4=    root, base64
 *
 * Foreign logs may add extension lines; ours have none (F12). Rules CP9-CP11 of
 * docs/spec/checkpoint.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { formatBase64, parseBase64 } from '../bytes/base64.ts'
import type { Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { HASH_BYTES } from '../limits.ts'
import { EMPTY_ROOT } from '../tree/hash.ts'
import { isSize } from '../tree/tree-shape.ts'

export interface CheckpointText {
  readonly origin: string
  readonly size: number
  readonly root: Hash
  /** Opaque; nobody audits them. */
  readonly extensions: readonly string[]
}

/** A decimal number without sign and leading zeros; 2^53 - 1 has 16 digits. */
const DECIMAL = /^(0|[1-9][0-9]{0,15})$/

/** The note text that commits to a tree, with its final newline. */
export function formatCheckpointText(origin: string, size: number, root: Hash): string {
  assert(isSize(size), 'a size is a safe integer')
  return `${origin}\n${size}\n${formatBase64(root)}\n`
}

/**
 * Reads the text of any log's checkpoint.
 *
 * @throws {VerificationError} `CHECKPOINT_INVALID` for anything but the one spelling of a
 * checkpoint, a size beyond 2^53 - 1, or an empty tree with another root than the empty one.
 */
export function parseCheckpointText(text: string): CheckpointText {
  const [origin, sizeLine, rootLine, ...rest] = text.split('\n')
  if (origin === undefined || origin === '' || sizeLine === undefined || rootLine === undefined) {
    throw invalid('it has three lines: origin, size, root')
  }
  // Every line ends in a newline, so the last piece is empty; extension lines are not.
  if (rest.pop() !== '' || rest.includes('')) throw invalid('a line is empty')
  const size = parseDecimal(sizeLine)
  if (size === undefined) throw invalid('the size is a decimal number up to 2^53 - 1')
  const root = parseBase64(rootLine)
  if (root === undefined || root.length !== HASH_BYTES) throw invalid('the root is 32 bytes')
  if (size === 0 && !bytesEqual(root, EMPTY_ROOT)) throw invalid('an empty tree with a root')
  return { origin, size, root: root as Hash, extensions: rest }
}

/** The number that `text` is the one decimal spelling of, up to 2^53 - 1. */
export function parseDecimal(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : undefined
  return value !== undefined && isSize(value) ? value : undefined
}

function invalid(what: string): VerificationError {
  return new VerificationError('CHECKPOINT_INVALID', `not a checkpoint: ${what}`)
}
