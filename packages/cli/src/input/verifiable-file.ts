/**
 * Reads what `verify` was pointed at, with a limit: the file may come from anybody.
 *
 * @module
 */
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { EVIDENCE_BYTES_MAX, RECEIPT_BYTES_MAX } from '@longshore/capsule'
import { fileUnreadable } from '@longshore/client/node'

/** One more than any file that can be verified: a longer one is refused by its verifier. */
const READ_BYTES_MAX: number = Math.max(RECEIPT_BYTES_MAX, EVIDENCE_BYTES_MAX) + 1

/** Should a pipe take the file's place, opening it must not wait for somebody who writes. */
const OPEN_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * The file's bytes, or their beginning if it is too long to be anything.
 *
 * Pipes and devices are refused without opening them: they may never end, or never begin.
 *
 * @throws {UsageError} `FILE_UNREADABLE`
 */
export async function readVerifiable(path: string): Promise<Uint8Array | 'directory'> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return 'directory'
    if (!found.isFile()) throw notRegular()
    await using file = await open(path, OPEN_FLAGS)
    if (!(await file.stat()).isFile()) throw notRegular()
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

function notRegular(): Error {
  return new Error('it is no regular file; save it as one first')
}
