/**
 * Reads files and stdin in chunks, only as fast as they are taken, until told to stop.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { UsageError } from '@longshore/capsule'
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
    if (path === STDIN) continue
    let isDirectory: boolean
    try {
      isDirectory = (await stat(path)).isDirectory()
    } catch (error) {
      throw fileUnreadable(path, error)
    }
    if (isDirectory) throw new UsageError('FILE_UNREADABLE', `${path} is a directory`, { path })
  }
}

/** `path` may be `-`. `stop` ends reading at the next chunk, at once if the source is idle. */
export function openByteSource(path: string, stop: AbortSignal): ByteSource {
  const label = path === STDIN ? 'stdin' : path
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

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no directory',
  EACCES: 'your user may not read it',
  EPERM: 'your user may not read it',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
}

/** The system's error as ours. */
export function fileUnreadable(path: string, error: unknown): UsageError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  const details = { path, systemCode: code }
  return new UsageError('FILE_UNREADABLE', `cannot read ${path}: ${reason}`, details, {
    cause: error,
  })
}
