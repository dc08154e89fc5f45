/**
 * Where things lie in a home, and who may read them.
 *
 *     lock  holder.json  socket  config.json  keys/<name>.key  store/…  index/…
 *     evidence/<name>.evidence
 *
 * Everything is for one user: directories 0700, files 0600. Rules HM1-HM3 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import os from 'node:os'
import { join, resolve } from 'node:path'
import { isLongshoreError, UnavailableError } from '@longshore/capsule'
import { makeDirectories } from './node-disk.ts'

/** Names this layout; a home that says another number was made by another version. */
export const HOME_VERSION = 1

const DIRECTORY_MODE = 0o700

/** Paths below one home. Absolute. */
export interface HomePaths {
  readonly home: string
  readonly lock: string
  readonly holder: string
  readonly socket: string
  readonly config: string
  readonly keys: string
  readonly store: string
  readonly index: string
  readonly evidence: string
}

/** `~/.longshore` unless `path` or `$LONGSHORE_HOME` says otherwise. */
export function homePaths(path?: string): HomePaths {
  const chosen = path ?? process.env['LONGSHORE_HOME']
  const home = resolve(chosen ? chosen : join(os.homedir(), '.longshore'))
  return {
    home,
    lock: join(home, 'lock'),
    holder: join(home, 'holder.json'),
    socket: join(home, 'socket'),
    config: join(home, 'config.json'),
    keys: join(home, 'keys'),
    store: join(home, 'store'),
    index: join(home, 'index'),
    evidence: join(home, 'evidence'),
  }
}

/** `$XDG_STATE_HOME/longshore`, else `~/.local/state/longshore` (F20). */
export function stateDirectory(): string {
  const stateHome = process.env['XDG_STATE_HOME']
  // The XDG specification: a relative path is invalid and to be ignored.
  const base = stateHome?.startsWith('/') ? stateHome : join(os.homedir(), '.local', 'state')
  return join(base, 'longshore')
}

/**
 * Makes the directories of a home where they are missing; parents too.
 *
 * @throws {UnavailableError} `HOME_UNREADABLE` if something else is in the way.
 */
export function createHomeDirectories(paths: HomePaths): void {
  asHomeError(paths.home, () => {
    makeDirectories(paths.home, DIRECTORY_MODE)
    for (const directory of [paths.keys, paths.store, paths.index]) {
      makeDirectories(directory, DIRECTORY_MODE)
    }
  })
}

/** What a home consists of; a directory with anything else in it is not taken for an empty one. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'config.json',
  'evidence',
  'holder.json',
  'index',
  'keys',
  'lock',
  'reserve',
  'socket',
  'store',
])

/**
 * True if there is a home at this path; false if there is nothing, or the beginning of one.
 *
 * @throws {UnavailableError} `HOME_UNREADABLE` if something else is there.
 */
export function homeExists(paths: HomePaths): boolean {
  return asHomeError(paths.home, () => {
    if (!fs.existsSync(paths.home)) return false
    if (!fs.statSync(paths.home).isDirectory()) {
      throw new UnavailableError('HOME_UNREADABLE', 'a file is where the home should be', {
        path: paths.home,
      })
    }
    if (fs.existsSync(paths.config)) return true
    const foreign = fs.readdirSync(paths.home).find((name) => !OWN_NAMES.has(name))
    if (foreign === undefined && !hasKeys(paths)) return false
    if (foreign === undefined) {
      const message = 'config.json is gone from the home: put it back from a backup'
      throw new UnavailableError('HOME_UNREADABLE', message, { path: paths.config })
    }
    const message = 'the directory is not empty, and not a home'
    throw new UnavailableError('HOME_UNREADABLE', message, { path: paths.home, found: foreign })
  })
}

/** The config comes before the first key. */
function hasKeys({ keys }: HomePaths): boolean {
  return fs.existsSync(keys) && fs.readdirSync(keys).length > 0
}

/** Runs `action`; what the file system says against it becomes `HOME_UNREADABLE`. */
function asHomeError<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (isLongshoreError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new UnavailableError(
      'HOME_UNREADABLE',
      `the home cannot be used: ${reason}`,
      { path },
      { cause: error },
    )
  }
}
