/**
 * Whole files: one entry each, or entries of a fixed size. Rules CL25 and CL27 of
 * docs/spec/cli.md.
 *
 * @module
 */
import { PAYLOAD_BYTES_MAX, UsageError } from '@longshore/capsule'
import type { ByteSource, Cutter, Piece } from './piece.ts'

/**
 * Without `chunkBytes` a source is one piece, also when it is empty.
 *
 * @throws {UsageError} `PAYLOAD_TOO_LARGE` for a source that does not fit into one piece, or a
 * chunk size above the limit
 */
export function createWholeCutter(chunkBytes: number | undefined): Cutter {
  if (chunkBytes === undefined) return cutWhole
  if (chunkBytes > PAYLOAD_BYTES_MAX) {
    throw new UsageError(
      'PAYLOAD_TOO_LARGE',
      `--chunk can be at most ${PAYLOAD_BYTES_MAX} bytes, the largest payload`,
      { chunkBytes, payloadBytesMax: PAYLOAD_BYTES_MAX },
    )
  }
  return (source) => cutChunks(source, chunkBytes)
}

async function* cutWhole(source: ByteSource): AsyncGenerator<readonly Piece[]> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source.chunks) {
    bytes += chunk.length
    if (bytes > PAYLOAD_BYTES_MAX) {
      throw new UsageError(
        'PAYLOAD_TOO_LARGE',
        `${source.label} has more than ${PAYLOAD_BYTES_MAX} bytes`,
        { file: source.label, payloadBytesMax: PAYLOAD_BYTES_MAX },
      )
    }
    parts.push(chunk)
  }
  if (!source.interrupted) yield [{ payload: Buffer.concat(parts) }]
}

async function* cutChunks(
  source: ByteSource,
  chunkBytes: number,
): AsyncGenerator<readonly Piece[]> {
  let parts: Uint8Array[] = []
  let bytes = 0
  let any = false
  for await (const chunk of source.chunks) {
    let taken = 0
    while (taken < chunk.length) {
      const part = chunk.subarray(taken, taken + chunkBytes - bytes)
      parts.push(part)
      bytes += part.length
      taken += part.length
      if (bytes < chunkBytes) continue
      yield [{ payload: Buffer.concat(parts) }]
      any = true
      parts = []
      bytes = 0
    }
  }
  if (source.interrupted || (any && bytes === 0)) return
  yield [{ payload: Buffer.concat(parts) }]
}
