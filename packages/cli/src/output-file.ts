/**
 * Writes a result into a file that the person named.
 *
 * @module
 */
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { fileUnwritable } from '@longshore/client/node'

/**
 * Replaces `path` in one step: a reader sees the old file or the whole new one.
 *
 * @throws {UsageError} `FILE_UNWRITABLE`
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    // A device or a pipe (/dev/stdout, a process substitution) cannot be replaced, only written to.
    if (existing !== undefined && !existing.isFile()) return await writeFile(path, content)
    await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (error) {
    // It is the first failure that counts.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw fileUnwritable(path, error)
  }
}
