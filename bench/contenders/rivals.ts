/**
 * The rivals' packages: installed into bench/node_modules on first use, from the lock file there.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const here = join(import.meta.dirname, '..')

/** The module of a rival, and its version. */
export function loadRival<TModule>(name: string): { module: TModule; version: string } {
  install()
  const require = createRequire(join(here, 'package.json'))
  const manifest = join(here, 'node_modules', name, 'package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return { module: require(name) as TModule, version }
}

function install(): void {
  const marker = join(here, 'node_modules', '.package-lock.json')
  const lock = join(here, 'package-lock.json')
  if (existsSync(marker) && isSame(marker, lock)) return
  process.stderr.write('installing the rivals into bench/node_modules ...\n')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', args, { cwd: here, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('npm ci in bench/ failed; its messages are above')
}

type Lock = { packages: Record<string, { version?: string; optional?: boolean; peer?: boolean }> }

/** What is installed is what the lock file names, as far as it is not optional. */
function isSame(marker: string, lock: string): boolean {
  const read = (path: string): Lock['packages'] =>
    (JSON.parse(readFileSync(path, 'utf8')) as Lock).packages
  const [installed, locked] = [read(marker), read(lock)]
  const isLocked = Object.entries(installed).every(
    ([folder, { version }]) => locked[folder]?.version === version,
  )
  return (
    isLocked &&
    Object.entries(locked).every(
      ([folder, { optional, peer }]) =>
        folder === '' || optional || peer || installed[folder] !== undefined,
    )
  )
}
