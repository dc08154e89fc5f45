/**
 * A home for a process that lives on its store: a node. It holds the home as `openHome` would, and
 * commands of the same user reach it through the local socket; beside that the node submits
 * transactions of its own.
 *
 * Not for applications: nothing here is verified for them. Rule HM50 of docs/spec/home.md.
 *
 * @module
 */
import { type CapsuleName, UnavailableError } from '@longshore/capsule'
import type { BranchWriter, DiskStore, Runtime } from '@longshore/engine'
import type { CompactReport } from '../../home.ts'
import type { BranchAddress } from '../../home-writer.ts'
import type { WriteDriver } from '../../write-driver.ts'
import { DiskReserve } from './disk-reserve.ts'
import { Holding } from './holding.ts'
import { createHomeDirectories, homeExists, homePaths } from './home-layout.ts'
import { HomeLock } from './home-lock.ts'
import { KeyStore } from './key-store.ts'
import { NodeDisk } from './node-disk.ts'

export interface HeldHomeOptions {
  readonly path: string
  readonly runtime: Runtime
  /** Called after every commit, whoever submitted it. */
  readonly onCommit: () => void
  /** Called after every sync, with the milliseconds that it took. */
  readonly onSync?: (ms: number) => void
  /** Capsules that this process takes in by itself: others import nothing into them (`LOCKED`). */
  readonly takesIn?: (name: CapsuleName) => boolean
}

export interface HeldHome {
  readonly path: string
  readonly store: DiskStore
  readonly driver: WriteDriver
  readonly keys: KeyStore
  /** The writer of a branch that this process drives by itself; its key is in the home. */
  openOwnWriter(at: BranchAddress): BranchWriter
  /** Entries of the capsule are being imported: nobody else may take any in. */
  isImporting(name: CapsuleName): boolean
  /** Gives back the space of what was erased or removed, between the commits of others. */
  compact(): Promise<CompactReport>
  /**
   * Does what has to have room on the disk: if it has none, in what the home keeps for that. It is
   * done twice then.
   */
  withinReserve<T>(action: () => T | Promise<T>): Promise<T>
  /** Keeps a first anchor for a branch that is about to be made, durably. */
  plantAnchor(at: BranchAddress, anchor: Uint8Array): void
  /** Ends what commands of the user are long at (`CLOSED`); `close` would wait for it. */
  giveUpLongRuns(): void
  close(): Promise<void>
}

/**
 * Makes the home where there is none.
 *
 * @throws {UnavailableError} `LOCKED` if another process holds it; `HOME_UNREADABLE`,
 * `STORE_CORRUPT`
 */
export async function holdHome(options: HeldHomeOptions): Promise<HeldHome> {
  const paths = homePaths(options.path)
  if (!homeExists(paths)) createHomeDirectories(paths)
  const lock = HomeLock.tryAcquire(paths.lock)
  if (lock === undefined) {
    const message = 'another process holds this data directory'
    throw new UnavailableError('LOCKED', message, { path: paths.home })
  }
  const reserve = new DiskReserve(new NodeDisk(paths.home), options.runtime)
  const onCommit = (): void => {
    reserve.fill()
    options.onCommit()
  }
  const events = { ...options, onCommit, reserve }
  const holding = await Holding.open(paths, lock, options.runtime, events)
  reserve.fill()
  return {
    path: paths.home,
    store: holding.store,
    driver: holding.holder.driver,
    keys: new KeyStore(paths.keys),
    openOwnWriter: (at) => holding.holder.openOwnWriter(at),
    isImporting: (name) => holding.holder.isImporting(name),
    compact: () => holding.holder.compact(),
    withinReserve: (action) => reserve.within(action),
    plantAnchor: (at, anchor) => holding.holder.plantAnchor(at, anchor),
    giveUpLongRuns: () => holding.holder.giveUpLongRuns(),
    close: () => holding.close(),
  }
}
