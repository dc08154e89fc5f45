/**
 * Reads what `verify` was pointed at, with a limit: the file may come from anybody.
 *
 * @module
 */
import { open, stat } from 'node:fs/promises'
import { EVIDENCE_BYTES_MAX, RECEIPT_BYTES_MAX } from '@longshore/capsule'
import { fileUnreadable } from './byte-source.ts'

/** One more than any file that can be verified: a longer one is refused by its verifier. */
const READ_BYTES_MAX: number = Math.max(RECEIPT_BYTES_MAX, EVIDENCE_BYTES_MAX) + 1

/**
 * The file's bytes, or their beginning if it is too long to be anything.
 *
 * @throws {UsageError} `FILE_UNREADABLE`
 */
export async function readVerifiable(path: string): Promise<Uint8Array | 'directory'> {
  try {
    if ((await stat(path)).isDirectory()) return 'directory'
    await using file = await open(path)
    const bytes = new Uint8Array(READ_BYTES_MAX)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) return bytes.subarray(0, length)
    }
  } catch (error) {
    throw fileUnreadable(path, error)
  }
}
