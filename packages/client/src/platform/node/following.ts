/**
 * Reading a home that another process holds, or nobody: the journal up to the durable watermark,
 * through an index that the holder writes.
 *
 * Rules HM13, HM22 and HM39 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { type DiskStore, EMPTY_INDEX, openDiskStore, type Runtime } from '@longshore/engine'
import type { HomePaths } from './home-layout.ts'
import { LmdbIndex } from './lmdb-index.ts'
import { NodeDisk } from './node-disk.ts'

/** Events of the file system can be lost; this is how late we then are. */
const POLL_MS = 500

export class Following {
  readonly store: DiskStore
  readonly #paths: HomePaths
  readonly #index: LmdbIndex | undefined

  private constructor(paths: HomePaths, index: LmdbIndex | undefined, store: DiskStore) {
    this.#paths = paths
    this.#index = index
    this.store = store
  }

  /** Undefined if the index is missing or damaged: the holder of the lock has to build it. */
  static open(paths: HomePaths, runtime: Runtime): Following | undefined {
    const index = LmdbIndex.openForReading({ directory: paths.index, bootId: runtime.bootId })
    if (index === undefined) return undefined
    try {
      const disk = new NodeDisk(paths.store)
      const refreshIndex = (): void => index.refresh()
      const store = openDiskStore({ disk, index, runtime, mode: 'read', refreshIndex })
      return new Following(paths, index, store)
    } catch (error) {
      index.close()
      throw error
    }
  }

  /** From the journal alone, which takes longer and more memory: no index can be had. */
  static openJournal(paths: HomePaths, runtime: Runtime): Following {
    const disk = new NodeDisk(paths.store)
    const refreshIndex = (): void => {}
    const store = openDiskStore({ disk, index: EMPTY_INDEX, runtime, mode: 'read', refreshIndex })
    return new Following(paths, undefined, store)
  }

  /** Looks at the watermark; true if there is more than before. */
  refresh(): boolean {
    const before = this.store.sequence
    this.store.step({ type: 'refresh' })
    return this.store.sequence !== before
  }

  /** The holder has begun a new index: open everything again. */
  get isOutdated(): boolean {
    return this.#index?.isReplaced() ?? false
  }

  /** Calls `look` when the watermark moves, and now and then. Returns how to stop. */
  watch(look: () => void): () => void {
    let isDue = false
    const lookSoon = (): void => {
      if (isDue) return
      isDue = true
      setImmediate(() => {
        isDue = false
        look()
      })
    }
    const timer = setInterval(lookSoon, POLL_MS)
    let watcher: fs.FSWatcher | undefined
    try {
      watcher = fs.watch(this.#paths.store, lookSoon)
      // Without events the timer remains.
      watcher.on('error', () => watcher?.close())
    } catch {
      // No watch to be had (a limit of the system): the timer remains.
    }
    return () => {
      clearInterval(timer)
      watcher?.close()
    }
  }

  close(): void {
    this.store.close()
    this.#index?.close()
  }
}
