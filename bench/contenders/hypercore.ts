/**
 * Hypercore, the rival: installed into bench/node_modules on first use, from the lock file there.
 *
 * It does not sync before it acknowledges, so its rates are printed as not durable.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** As far as the benchmark uses it. */
export interface Hypercore {
  readonly length: number
  readonly key: Uint8Array
  ready(): Promise<void>
  append(blocks: Uint8Array | Uint8Array[]): Promise<unknown>
  get(index: number): Promise<Uint8Array>
  proof(options: object): Promise<unknown>
  replicate(isInitiator: boolean): NodeJS.ReadWriteStream
  close(): Promise<void>
}

interface HypercoreModule {
  new (storage: string, key?: Uint8Array, options?: object): Hypercore
}

const here = join(import.meta.dirname, '..')

function install(): void {
  const marker = join(here, 'node_modules', '.package-lock.json')
  const lock = join(here, 'package-lock.json')
  if (existsSync(marker) && isSame(marker, lock)) return
  process.stderr.write('installing the rival into bench/node_modules ...\n')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', args, { cwd: here, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('npm ci in bench/ failed; its messages are above')
}

/** Every package that is installed has the version that the lock file names. */
function isSame(marker: string, lock: string): boolean {
  type Lock = { packages: Record<string, { version?: string }> }
  const read = (path: string): Lock => JSON.parse(readFileSync(path, 'utf8')) as Lock
  const locked = read(lock).packages
  return Object.entries(read(marker).packages).every(
    ([folder, { version }]) => locked[folder]?.version === version,
  )
}

let loaded: { Hypercore: HypercoreModule; name: string } | undefined

function load(): { Hypercore: HypercoreModule; name: string } {
  if (loaded !== undefined) return loaded
  install()
  const require = createRequire(join(here, 'package.json'))
  const { version } = require('hypercore/package.json') as { version: string }
  loaded = { Hypercore: require('hypercore') as HypercoreModule, name: `hypercore ${version}` }
  return loaded
}

/** With its version, as it is printed. */
export function hypercoreName(): string {
  return load().name
}

export async function openHypercore(storage: string, key?: Uint8Array): Promise<Hypercore> {
  const { Hypercore } = load()
  const core = key === undefined ? new Hypercore(storage) : new Hypercore(storage, key)
  await core.ready()
  return core
}
