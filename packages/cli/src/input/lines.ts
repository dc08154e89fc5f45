/**
 * Cuts bytes into lines: `\n` ends a line and does not belong to it; any other byte does.
 *
 * A last line without `\n` is one too, unless it is empty or reading was interrupted. Holds at
 * most one unfinished line. Rules CL22 and CL27 of docs/spec/cli.md.
 *
 * @module
 */
import { PAYLOAD_BYTES_MAX, UsageError } from '@longshore/capsule'
import type { ByteSource, Piece } from './piece.ts'

const NEWLINE = 0x0a

/**
 * Batches of lines, one for each chunk that ends some.
 *
 * @throws {UsageError} `PAYLOAD_TOO_LARGE` with `line` (from 1), after all lines before it
 */
export async function* splitLines(source: ByteSource): AsyncGenerator<readonly Piece[]> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  let lineCount = 0
  for await (const chunk of source.chunks) {
    const lines: Piece[] = []
    let start = 0
    let tooLarge = false
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const stop = end === -1 ? chunk.length : end
      tooLarge = restBytes + (stop - start) > PAYLOAD_BYTES_MAX
      if (end === -1 || tooLarge) break
      lines.push({ payload: joinLine(rest, chunk.subarray(start, end)) })
      rest = []
      restBytes = 0
      start = end + 1
    }
    lineCount += lines.length
    if (lines.length > 0) yield lines
    if (tooLarge) throw lineTooLarge(source.label, lineCount + 1)
    if (start < chunk.length) {
      rest.push(chunk.subarray(start))
      restBytes += chunk.length - start
    }
  }
  if (restBytes > 0 && !source.interrupted) yield [{ payload: joinLine(rest, new Uint8Array(0)) }]
}

function joinLine(rest: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  return rest.length === 0 ? last : Buffer.concat([...rest, last])
}

function lineTooLarge(label: string, line: number): UsageError {
  return new UsageError(
    'PAYLOAD_TOO_LARGE',
    `line ${line} of ${label} has more than ${PAYLOAD_BYTES_MAX} bytes`,
    { file: label, line, payloadBytesMax: PAYLOAD_BYTES_MAX },
  )
}
