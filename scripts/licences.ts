/**
 * Every installed package may be used: its licence is on the list. Part of `npm run check`.
 *
 * Packages for other platforms are not installed here; for them the lock file is asked.
 *
 * @module
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Dependency, refuseLicence } from './licences/licence.ts'
import type { PackageLock } from './tidy/lock-file.ts'

const root = resolve(import.meta.dirname, '..')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as PackageLock

/** What package.json may say about a licence: today's form and the two older ones. */
interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly private?: boolean
  readonly license?: string | { readonly type: string }
  readonly licenses?: readonly { readonly type: string }[]
}

function licenceOf({ license, licenses }: Manifest): string | undefined {
  if (typeof license === 'string') return license
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ')
}

function installed(): Dependency[] {
  const pattern = 'node_modules/**/package.json'
  const found: Dependency[] = []
  for (const path of globSync(pattern, { cwd: root })) {
    const folder = path.slice(0, -'/package.json'.length)
    const entry = lock.packages[folder]
    if (entry === undefined || entry.link === true) continue
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    const name = manifest.name ?? folder
    found.push({ name, licence: licenceOf(manifest), isTool: entry.dev === true })
  }
  return found
}

/** Locked for some other platform. */
function elsewhere(): Dependency[] {
  return Object.entries(lock.packages)
    .filter(([folder]) => folder.startsWith('node_modules/') && !existsSync(join(root, folder)))
    .filter(([, entry]) => entry.integrity !== undefined)
    .map(([folder, { license, dev }]) => ({
      name: folder.replace(/^.*node_modules\//, ''),
      licence: license,
      isTool: dev === true,
    }))
}

const dependencies = [...installed(), ...elsewhere()]
const refused = dependencies.flatMap((dependency) => {
  const reason = refuseLicence(dependency)
  return reason === undefined ? [] : [`${dependency.name}: ${reason}`]
})
for (const line of refused) console.log(line)
console.log(`${dependencies.length} packages, ${refused.length} refused`)
process.exitCode = refused.length === 0 && dependencies.length > 0 ? 0 : 1
