/**
 * Directories for tests, removed when the test process ends.
 *
 * @module
 */
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'

const made: string[] = []

process.on('exit', () => {
  for (const directory of made) fs.rmSync(directory, { recursive: true, force: true })
})

/** A new empty directory. */
export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'longshore-test-'))
  made.push(directory)
  return directory
}
