/**
 * Completes package-lock.json: an entry for every platform package that a locked package names.
 *
 * A registry that does not carry a tool's packages for some other platform makes `npm install`
 * leave them out of the lock file without a word, and `npm ci` then refuses the whole lock file
 * ("Missing: … from lock file"). The entries written here carry the exact version that the tool
 * itself asks for and the platform it is for, so npm skips them everywhere else; they have no
 * integrity, because nobody here has seen their bytes.
 *
 *     node scripts/complete-lock.ts [LOCK-FILE...]
 *
 * Run after every `npm install`; tidy fails while an entry is missing.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { missingLockEntries, type PackageLock } from './tidy/lock-file.ts'

const given = process.argv.slice(2)
const own = resolve(import.meta.dirname, '..', 'package-lock.json')
for (const path of given.length > 0 ? given : [own]) {
  const lock = JSON.parse(readFileSync(path, 'utf8')) as PackageLock
  const missing = missingLockEntries(lock)
  for (const { key, entry } of missing) lock.packages[key] = entry
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
  lock.packages = Object.fromEntries(sorted)
  if (missing.length > 0) writeFileSync(path, JSON.stringify(lock, null, 2) + '\n')
  console.log(`${path}: ${missing.length} platform packages added`)
}
