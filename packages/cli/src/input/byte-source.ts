/**
 * Reads files and stdin in chunks, only as fast as they are taken, until told to stop.
 *
 * @module
 */
import { createReadStream, fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { fileUnreadable } from '@longshore/client/node'
import type { ByteSource } from './piece.ts'

/** A few thousand lines at once. */
const CHUNK_BYTES = 262_144

export const STDIN = '-'

/**
 * Finds out before anything is appended that a file is missing or a directory.
 *
 * @throws {UsageError} `FILE_UNREADABLE`
 */
export async function checkInputFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    let isDirectory: boolean
    try {
      // Node reads a directory on stdin as if it were empty.
      const stats = path === STDIN ? fstatSync(0) : await stat(path)
      isDirectory = stats.isDirectory()
    } catch (error) {
      throw fileUnreadable(labelOf(path), error)
    }
    if (isDirectory) throw fileUnreadable(labelOf(path), { code: 'EISDIR' })
  }
}

function labelOf(path: string): string {
  return path === STDIN ? 'stdin' : path
}

/** `path` may be `-`. `stop` ends reading at the next chunk, at once if the source is idle. */
export function openByteSource(path: string, stop: AbortSignal): ByteSource {
  const label = labelOf(path)
  const stream =
    path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES })
  return {
    label,
    chunks: readChunks(stream, label, stop),
    get interrupted(): boolean {
      return stop.aborted
    },
  }
}

async function* readChunks(
  stream: Readable,
  label: string,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const cancel = (): void => void stream.destroy()
  stop.addEventListener('abort', cancel, { once: true })
  try {
    for await (const chunk of stream) {
      if (stop.aborted) return
      yield chunk
    }
  } catch (error) {
    // A stream that `cancel` destroyed complains that it ended too early.
    if (!stop.aborted) throw fileUnreadable(label, error)
  } finally {
    stop.removeEventListener('abort', cancel)
  }
}
