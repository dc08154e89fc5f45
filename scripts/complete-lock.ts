/**
 * Completes package-lock.json: an entry for every platform package that a locked package names.
 *
 * A registry that does not carry a tool's packages for some other platform makes `npm install`
 * leave them out of the lock file without a word, and `npm ci` then refuses the whole lock file
 * ("Missing: … from lock file"). The entries written here carry the exact version that the tool
 * itself asks for and the platform it is for, so npm skips them everywhere else; they have no
 * integrity, because nobody here has seen their bytes.
 *
 * Run after every `npm install`; tidy fails while an entry is missing.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { missingLockEntries, type PackageLock } from './tidy/lock-file.ts'

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8')) as PackageLock
const missing = missingLockEntries(lock)
for (const { key, entry } of missing) lock.packages[key] = entry
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
lock.packages = Object.fromEntries(sorted)
writeFileSync(path, JSON.stringify(lock, null, 2) + '\n')
console.log(`package-lock.json: ${missing.length} platform packages added`)
