/**
 * What package-lock.json must hold so that `npm ci` works on every machine: no address of a
 * registry, and every platform package that a locked package names (see `complete-lock.ts`).
 *
 * @module
 */

export interface LockEntry {
  version?: string
  resolved?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  license?: string
  optionalDependencies?: Record<string, string>
}

export interface PackageLock {
  packages: Record<string, LockEntry>
}

const OPERATING_SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
/** Napi names of processors that say more than npm's. */
const PROCESSOR_ALIASES: Readonly<Record<string, string>> = { musleabihf: 'arm', gnueabihf: 'arm' }

/** The platform that a name such as `@oxc-parser/binding-linux-x64-musl` is for. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/)
  const os = OPERATING_SYSTEMS.filter((word) => words.includes(word))
  const cpu = PROCESSORS.filter((word) => words.includes(word))
  if (cpu.length === 0) cpu.push(...words.flatMap((word) => PROCESSOR_ALIASES[word] ?? []))
  const musl = words.some((word) => word.startsWith('musl'))
  const glibc = words.some((word) => word.startsWith('gnu'))
  return {
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(musl ? { libc: ['musl'] } : glibc ? { libc: ['glibc'] } : {}),
    ...(os.length > 0 ? { os } : {}),
  }
}

/** Entries that the lock file lacks. Only exact versions: a range is not a platform package. */
export function missingLockEntries(lock: PackageLock): { key: string; entry: LockEntry }[] {
  const missing: { key: string; entry: LockEntry }[] = []
  for (const [parent, locked] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`
      if (!/^\d/.test(version) || key in lock.packages || `${parent}/${key}` in lock.packages)
        continue
      const dev = locked.dev === true ? { dev: true } : {}
      missing.push({ key, entry: { version, ...dev, optional: true, ...platformOf(name) } })
    }
  }
  return missing
}

/** One sentence for each thing that is wrong with the lock file. */
export function checkLockFile(lock: PackageLock): string[] {
  const problems = missingLockEntries(lock).map(
    ({ key }) => `${key} is missing; run node scripts/complete-lock.ts`,
  )
  for (const [key, { resolved }] of Object.entries(lock.packages)) {
    if (resolved !== undefined && /^[a-z+]+:/.test(resolved)) {
      problems.push(`${key} records the address it came from; .npmrc must omit it`)
    }
  }
  return problems
}
