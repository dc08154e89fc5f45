/**
 * Where a home is built while it is restored: beside its place, so that it gets there in one step.
 *
 *     <home>.restoring/lock   dies with the process that restores
 *     <home>.restoring/home   what becomes the home
 *
 * A process that is killed leaves this behind, with keys in it. Whoever restores to the same place
 * next finds the lock free and removes it. Rules BK6 and BK8 of docs/spec/backup.md.
 *
 * @module
 */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { UnavailableError, UsageError } from '@longshore/capsule'
import { toWritingError } from './file-error.ts'
import { type HomePaths, homePaths } from './home-layout.ts'
import { HomeLock } from './home-lock.ts'
import { makeDirectories, syncDirectory } from './node-disk.ts'

const OWN_NAMES: ReadonlySet<string> = new Set(['lock', 'home'])

export class RestoreSite implements Disposable {
  /** The home, to be laid out here. */
  readonly building: HomePaths
  readonly #target: string
  readonly #lock: HomeLock

  private constructor(target: string, lock: HomeLock) {
    this.#target = target
    this.#lock = lock
    this.building = homePaths(join(siteOf(target), 'home'))
  }

  /**
   * @throws {UnavailableError} `LOCKED` while another process restores to the same place.
   * @throws {UsageError} `FILE_EXISTS` if there is something else at the site; `FILE_UNWRITABLE`
   */
  static prepare(target: string): RestoreSite {
    const site = siteOf(target)
    try {
      checkOwn(site)
      makeDirectories(site, 0o700)
    } catch (cause) {
      throw toWritingError(site, cause)
    }
    const path = join(site, 'lock')
    const lock = HomeLock.tryAcquire(path)
    // Whoever was here before may have removed it before he let go of it.
    if (lock === undefined || !fs.existsSync(path)) {
      lock?.release()
      const message = 'another process restores to the same place'
      throw new UnavailableError('LOCKED', message, { path: target })
    }
    fs.rmSync(join(site, 'home'), { recursive: true, force: true })
    return new RestoreSite(target, lock)
  }

  /** Removes what a killed process left, if there is something. */
  static removeLeftover(target: string): void {
    if (fs.existsSync(siteOf(target))) RestoreSite.prepare(target)[Symbol.dispose]()
  }

  /** The target is nothing or an empty directory; if it no longer is, this fails. */
  moveIntoPlace(): void {
    // Elsewhere an empty directory is replaced by the same call.
    if (process.platform === 'win32' && fs.existsSync(this.#target)) fs.rmdirSync(this.#target)
    fs.renameSync(this.building.home, this.#target)
    syncDirectory(dirname(this.#target))
  }

  /** Removes everything that is still here. */
  [Symbol.dispose](): void {
    fs.rmSync(this.building.home, { recursive: true, force: true })
    // The lock last: until then the site is seen to be in use.
    fs.rmSync(siteOf(this.#target), { recursive: true, force: true })
    this.#lock.release()
  }
}

function siteOf(target: string): string {
  return `${target}.restoring`
}

function checkOwn(site: string): void {
  const stat = fs.lstatSync(site, { throwIfNoEntry: false })
  if (stat === undefined) return
  const isOwn = stat.isDirectory() && fs.readdirSync(site).every((name) => OWN_NAMES.has(name))
  if (isOwn) return
  const message = 'something else is where the home would be prepared'
  throw new UsageError('FILE_EXISTS', message, { path: site })
}
