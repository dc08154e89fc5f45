/**
 * Writes a result into a file that the person named.
 *
 * @module
 */
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { UsageError } from '@longshore/capsule'

/**
 * Replaces `path` in one step: a reader sees the old file or the whole new one.
 *
 * @throws {UsageError} `FILE_UNWRITABLE`
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  // A device or a pipe (/dev/stdout, a process substitution) cannot be replaced, only written to.
  if (existing !== undefined && !existing.isFile()) return await write(path, path, content)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await write(temporary, path, content)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function write(path: string, shown: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, content)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const details = { path: shown, systemCode: code ?? 'UNKNOWN' }
    throw new UsageError('FILE_UNWRITABLE', `cannot write ${shown}: ${message}`, details, {
      cause: error,
    })
  }
}
