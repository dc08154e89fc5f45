/**
 * Holding a home: lock, index, store, writer and socket, opened in this order and closed in the
 * other.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import type { CapsuleName } from '@longshore/capsule'
import { type DiskStore, openDiskStore, type Runtime } from '@longshore/engine'
import { AnchorDirectory } from './anchor-directory.ts'
import type { DiskReserve } from './disk-reserve.ts'
import { Holder } from './holder.ts'
import { describeHolder, writeHolderFile } from './holder-file.ts'
import { HOME_ID_BYTES, type HomeConfig, readConfig, writeConfig } from './home-config.ts'
import { type HomePaths, stateDirectory } from './home-layout.ts'
import type { HomeLock } from './home-lock.ts'
import { KeyStore } from './key-store.ts'
import { LmdbIndex } from './lmdb-index.ts'
import { LocalServer } from './local-server.ts'
import { NodeDisk } from './node-disk.ts'
import { WriterLock } from './writer-lock.ts'

export interface HoldingEvents {
  /** After every commit. */
  readonly onCommit: () => void
  /** After every sync, with the milliseconds that it took. */
  readonly onSync?: ((ms: number) => void) | undefined
  /** Capsules that this process takes in by itself: nothing else may bring entries of them in. */
  readonly takesIn?: ((name: CapsuleName) => boolean) | undefined
  /** Room for opening on a full disk; without it opening fails there. */
  readonly reserve?: DiskReserve | undefined
}

interface OpenedParts {
  readonly index: LmdbIndex
  readonly store: DiskStore
  readonly config: HomeConfig
}

export class Holding {
  readonly store: DiskStore
  readonly holder: Holder
  readonly #paths: HomePaths
  readonly #lock: HomeLock
  readonly #index: LmdbIndex
  #server: LocalServer | undefined

  private constructor(
    paths: HomePaths,
    lock: HomeLock,
    { index, store, config }: OpenedParts,
    runtime: Runtime,
    events: HoldingEvents,
  ) {
    this.#paths = paths
    this.#lock = lock
    this.#index = index
    this.store = store
    this.holder = new Holder({
      paths,
      config,
      store,
      keys: new KeyStore(paths.keys),
      anchors: new AnchorDirectory(join(stateDirectory(), 'anchors')),
      writerLock: new WriterLock(stateDirectory(), config.id),
      runtime,
      onCommit: events.onCommit,
      onSync: events.onSync,
      takesIn: events.takesIn,
      isServing: () => this.#server?.isServing === true,
    })
  }

  /** `lock` is this process's; it is released if opening fails. */
  static async open(
    paths: HomePaths,
    lock: HomeLock,
    runtime: Runtime,
    events: HoldingEvents,
  ): Promise<Holding> {
    const within = <T>(action: () => T | Promise<T>): T | Promise<T> => {
      return events.reserve === undefined ? action() : events.reserve.within(action)
    }
    const indexOptions = { directory: paths.index, bootId: runtime.bootId }
    let index: LmdbIndex | undefined
    let store: DiskStore | undefined
    try {
      const map = await within(() => LmdbIndex.openForWriting(indexOptions))
      index = map
      const disk = new NodeDisk(paths.store)
      store = await within(() => openDiskStore({ disk, index: map, runtime, mode: 'write' }))
      const config = readConfig(paths.config) ?? (await within(() => createConfig(paths.config)))
      const holding = new Holding(paths, lock, { index, store, config }, runtime, events)
      // Whoever closes in order removes this file.
      if (fs.existsSync(paths.holder)) holding.holder.bringAnchorsUp()
      const server = await within(() => LocalServer.open(paths.socket, holding.holder))
      holding.#server = server
      await within(() => writeHolderFile(paths.holder, describeHolder(server.path)))
      return holding
    } catch (error) {
      store?.close()
      index?.close()
      lock.release()
      throw error
    }
  }

  async close(): Promise<void> {
    try {
      await this.#server?.close()
      await this.holder.close()
      this.store.close()
    } finally {
      this.#index.close()
      fs.rmSync(this.#paths.holder, { force: true })
      this.#lock.release()
    }
  }
}

function createConfig(path: string): HomeConfig {
  const config = { id: new Uint8Array(randomBytes(HOME_ID_BYTES)), identity: undefined }
  writeConfig(path, config)
  return config
}
