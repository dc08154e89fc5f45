/**
 * The text form of a proof that an entry was logged: C2SP tlog-proof v1.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra pmF2AWVjZXJ0c4BmaGVhZGVyWC6EABsABkdI…         base64, may be missing
 *     index 2
 *     gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=        inclusion path, leaf to root
 *
 *     longshore/bafyrei…                                  the checkpoint, word for word
 *     …
 *
 * This file takes the text apart; it verifies nothing. Rules RC1 and RC2 of docs/spec/receipt.md.
 *
 * @module
 */

import { formatBase64, parseBase64 } from '../bytes/base64.ts'
import type { Hash } from '../bytes/brands.ts'
import { parseDecimal } from '../checkpoint/checkpoint-text.ts'
import { VerificationError } from '../errors.ts'
import { HASH_BYTES, PATH_HASHES_MAX } from '../limits.ts'

export interface TlogProof {
  /** Opaque, and signed by nobody. */
  readonly extra: Uint8Array | undefined
  readonly index: number
  readonly path: readonly Hash[]
  /** A signed note, not looked at. */
  readonly checkpoint: string
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '

export function formatTlogProof({ extra, index, path, checkpoint }: TlogProof): string {
  const lines = [FIRST_LINE]
  if (extra !== undefined) lines.push(EXTRA + formatBase64(extra))
  lines.push(INDEX + index, ...path.map(formatBase64))
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/**
 * Takes a proof apart. The caller has limited its length.
 *
 * @throws {VerificationError} `RECEIPT_INVALID` for anything but the one spelling of a proof.
 */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n')
  if (end < 0) throw invalid('no empty line before the checkpoint')
  const lines = text.slice(0, end).split('\n')
  if (lines.shift() !== FIRST_LINE) throw invalid(`the first line is not ${FIRST_LINE}`)
  const extra = lines[0]?.startsWith(EXTRA) ? parseExtra(lines.shift()) : undefined
  const index = parseIndex(lines.shift())
  if (lines.length > PATH_HASHES_MAX) throw invalid('too many hashes')
  return { extra, index, path: lines.map(parseHash), checkpoint: text.slice(end + 2) }
}

function parseExtra(line = ''): Uint8Array {
  const extra = parseBase64(line.slice(EXTRA.length))
  if (extra === undefined || extra.length === 0) throw invalid('the extra is not standard base64')
  return extra
}

function parseIndex(line = ''): number {
  const index = line.startsWith(INDEX) ? parseDecimal(line.slice(INDEX.length)) : undefined
  if (index === undefined) throw invalid('no index up to 2^53 - 1 where it must stand')
  return index
}

function parseHash(line: string): Hash {
  const hash = parseBase64(line)
  if (hash?.length !== HASH_BYTES) throw invalid('a line of the path that is no hash')
  return hash as Hash
}

function invalid(what: string): VerificationError {
  return new VerificationError('RECEIPT_INVALID', `not a proof: ${what}`)
}
