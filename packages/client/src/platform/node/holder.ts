/**
 * The process that holds a home: the only one that writes to its store.
 *
 * It carries out changes for its own application and, through the local socket, for others. The
 * writer of a branch is opened when its first change comes. Compaction, backup, fsck and imports
 * go one after the other, while appends to other capsules go on.
 *
 * Rules HM4, HM17-HM19, HM28-HM36 of docs/spec/home.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  formatHex,
  formatName,
  isLongshoreError,
  MAIN_BRANCH,
  type Manifest,
  openManifest,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import {
  type BranchWriter,
  committedHead,
  type DiskStore,
  decodeAnchor,
  type IndexRange,
  isAnchorUpToDate,
  openBranchWriter,
  type Runtime,
  type Slices,
} from '@longshore/engine'
import type { AppendTerms } from '../../append-request.ts'
import { BranchAppender } from '../../branch-appender.ts'
import type { Ack } from '../../capsule.ts'
import type {
  BackupReport,
  CompactReport,
  CreateOptions,
  FsckReport,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
} from '../../home.ts'
import type { BranchAddress, HomeWriter } from '../../home-writer.ts'
import { checkKeepsakeKey, checkKeepsakeValue } from '../../keepsake.ts'
import { type DriverPlatform, WriteDriver } from '../../write-driver.ts'
import type { AnchorDirectory, AnchorFile } from './anchor-directory.ts'
import { takeSnapshot, writeBackup } from './backup.ts'
import { checkHome } from './check-home.ts'
import { withWriting } from './file-error.ts'
import type { HomeConfig } from './home-config.ts'
import type { HomePaths } from './home-layout.ts'
import { type ImportContext, importVerified } from './import-tiles.ts'
import type { KeyStore } from './key-store.ts'
import { isDamaged, mendFromFile } from './mend-capsule.ts'
import { syncOffThread } from './node-disk.ts'
import { Principals } from './principals.ts'
import { takeInFile } from './take-in.ts'
import { verifyTileDirectory } from './verify-directory.ts'
import type { WriterLock } from './writer-lock.ts'

/** Writers kept open: a right edge of some KiB and a file each. */
const APPENDERS_MAX = 256
/** Entries that are looked at in one turn of the event loop. */
const SCAN_COUNT = 1024

export interface HolderParts {
  readonly paths: HomePaths
  readonly config: HomeConfig
  readonly store: DiskStore
  readonly keys: KeyStore
  readonly anchors: AnchorDirectory
  readonly writerLock: WriterLock
  readonly runtime: Runtime
  /** Called after every commit. */
  readonly onCommit: () => void
  /** Called after every sync, with the milliseconds that it took. */
  readonly onSync?: ((ms: number) => void) | undefined
  /** Capsules that this process takes in by itself, as a mirror does. */
  readonly takesIn?: ((name: CapsuleName) => boolean) | undefined
  /** Another process waits for this one. */
  readonly isServing: () => boolean
}

/** One open writer. */
interface OpenAppender {
  readonly appender: BranchAppender
  readonly slot: AnchorFile
}

export class Holder implements HomeWriter {
  readonly driver: WriteDriver
  readonly #parts: HolderParts
  readonly #principals: Principals
  /** In order of use. */
  readonly #appenders = new Map<string, OpenAppender>()
  /** By the handle that appends: spares the hot path a key. */
  readonly #byHandle = new WeakMap<BranchAddress, BranchAppender>()
  /** Written by somebody in this process who drives the writer by himself. */
  readonly #ownBranches = new Map<string, AnchorFile>()
  /** Branches that an import is about to change. */
  readonly #importing = new Set<string>()
  /** The last of the long operations, which follow one another. */
  #lastLongRun: Promise<unknown> = Promise.resolve()
  #isClosing = false
  readonly #givenUp = new AbortController()

  constructor(parts: HolderParts) {
    this.#parts = parts
    const platform: DriverPlatform = {
      defer: (action) => void setImmediate(action),
      syncOffThread,
      nowMs: () => performance.now(),
      isServing: parts.isServing,
      ...(parts.onSync === undefined ? {} : { synced: parts.onSync }),
    }
    this.driver = new WriteDriver(parts.store, platform, parts.onCommit)
    const { store, keys, anchors, writerLock, runtime, paths } = parts
    const context = { store, driver: this.driver, keys, anchors, writerLock, runtime }
    this.#principals = new Principals({ ...context, configPath: paths.config }, parts.config)
  }

  /**
   * Opens every writer of this home whose anchor is not what is committed, which brings it up. For
   * the first moment after a crash, before anybody sees a head: the crash may have come between
   * a sync and its anchor (rule WR9).
   */
  bringAnchorsUp(): void {
    const { store, keys, anchors, runtime } = this.#parts
    for (const name of keys.names()) {
      if ((store.state(name, MAIN_BRANCH)?.size ?? 0) === 0) continue
      const slot = anchors.slot(name, MAIN_BRANCH)
      const at = { name, branch: MAIN_BRANCH }
      try {
        if (!isAnchorUpToDate({ store, ...at, anchor: slot })) this.#openWriter(at, slot)
      } catch (error) {
        // Whoever appends is told; what is committed can be read all the same.
        if (!isLongshoreError(error)) throw error
        runtime.log('warn', 'anchor.not-checked', { name: formatName(name), code: error.code })
      } finally {
        slot.close()
      }
    }
  }

  /**
   * The writer of a branch that somebody in this process drives by itself, as a node does with its
   * head log. From here on nobody else may write to it.
   */
  openOwnWriter(at: BranchAddress): BranchWriter {
    this.#checkOpen()
    const key = addressKey(at)
    this.#ownBranches.get(key)?.close()
    const slot = this.#parts.anchors.slot(at.name, at.branch)
    this.#ownBranches.set(key, slot)
    return this.#openWriter(at, slot)
  }

  /** Entries of this capsule are being brought in from a directory or a file. */
  isImporting(name: CapsuleName): boolean {
    return this.#importing.has(addressKey({ name, branch: MAIN_BRANCH }))
  }

  plantAnchor(at: BranchAddress, anchor: Uint8Array): void {
    const { anchors, writerLock } = this.#parts
    writerLock.require()
    const slot = anchors.slot(at.name, at.branch)
    try {
      slot.write(anchor)
    } finally {
      slot.close()
    }
  }

  append(
    at: BranchAddress,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    signal?: AbortSignal,
  ): Promise<Ack> {
    try {
      const known = this.#byHandle.get(at)
      const appender = known?.isSealed === false ? known : this.#appender(at)
      return appender.append(payloads, terms, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async erase(at: BranchAddress, ranges: readonly IndexRange[], reason: string): Promise<Ack> {
    await this.#checkErasable(at, ranges)
    return this.#appender(at).erase(ranges, reason)
  }

  async recover(at: BranchAddress, reason: string): Promise<Ack> {
    return this.#appender(at).recover(reason)
  }

  async resume(at: BranchAddress, record: string): Promise<void> {
    await this.#appender(at).resume(record)
  }

  async heartbeat(at: BranchAddress): Promise<string> {
    return this.#appender(at).heartbeat()
  }

  async settle(at: BranchAddress): Promise<void> {
    await this.#appenders.get(addressKey(at))?.appender.settle()
  }

  async create(options: CreateOptions): Promise<CapsuleName> {
    this.#checkOpen()
    return this.#principals.createCapsule(options)
  }

  async createIdentity(options: IdentityOptions): Promise<IdentityInfo> {
    this.#checkOpen()
    return this.#principals.createIdentity(options)
  }

  importTiles(directory: string, caller?: AbortSignal): Promise<ImportReport> {
    const givenUp = this.#givenUp.signal
    const signal = caller === undefined ? givenUp : AbortSignal.any([caller, givenUp])
    return this.#runLong(async () => {
      const verified = await verifyTileDirectory(directory, { signal })
      const { name } = verified.directory.signed
      const at = { name, branch: verified.directory.head.branch }
      return this.#underWriter(at, (context) => importVerified(verified, context, signal))
    })
  }

  takeIn(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#runLong(async () => {
      const capsule = openManifest(signedManifest)
      const at = { name: capsule.name, branch: MAIN_BRANCH }
      await this.#underWriter(at, (context) => takeInFile(file, capsule, context))
    })
  }

  mend(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#runLong(async () => {
      const capsule = openManifest(signedManifest)
      const at = { name: capsule.name, branch: MAIN_BRANCH }
      await this.#underWriter(at, (context) => mendFromFile(file, capsule, context))
    })
  }

  backup(file: string): Promise<BackupReport> {
    const { paths, store } = this.#parts
    return this.#runLong(async () => {
      const snapshot = await this.driver.between(() => takeSnapshot(paths, store))
      return withWriting(file, () => writeBackup(file, paths.home, snapshot, this.#givenUp.signal))
    })
  }

  compact(): Promise<CompactReport> {
    return this.#runLong(() => this.#inSlices(() => this.#parts.store.compactInSlices()))
  }

  fsck(repair: boolean): Promise<FsckReport> {
    return this.#runLong(() => this.#inSlices(() => checkHome(this.#parts, repair)))
  }

  async remember(key: string, value: Uint8Array): Promise<void> {
    this.#checkOpen()
    await this.driver.submit([
      { type: 'note', key: checkKeepsakeKey(key), value: checkKeepsakeValue(value) },
    ])
  }

  /**
   * Ends long operations that are under way, `CLOSED`: compaction, fsck, backups and imports. What
   * they have finished stays; they can be begun anew another time.
   */
  giveUpLongRuns(): void {
    this.#givenUp.abort(closing())
  }

  /** Finishes everything and lets go of anchors; the store is the caller's to close. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#lastLongRun
    for (const key of [...this.#appenders.keys()]) await this.#retire(key)
    try {
      await this.driver.drained()
    } finally {
      for (const slot of this.#ownBranches.values()) slot.close()
      this.#parts.anchors.close()
      this.#parts.writerLock.release()
    }
  }

  #appender(at: BranchAddress): BranchAppender {
    this.#checkOpen()
    const key = addressKey(at)
    if (this.#ownBranches.has(key)) {
      throw new UsageError('NOT_A_WRITER', 'the node itself writes its head log')
    }
    if (this.#importing.has(key)) {
      throw new UnavailableError('LOCKED', 'an import into this capsule is under way')
    }
    let open = this.#appenders.get(key)
    if (open === undefined) {
      this.#forgetIdle()
      open = this.#createAppender(at)
    } else {
      this.#appenders.delete(key)
    }
    this.#appenders.set(key, open)
    this.#byHandle.set(at, open.appender)
    return open.appender
  }

  #createAppender(at: BranchAddress): OpenAppender {
    const { store, runtime, anchors } = this.#parts
    const manifest = this.#manifest(at.name)
    const slot = anchors.slot(at.name, at.branch)
    const context = {
      store,
      driver: this.driver,
      nowUs: () => runtime.nowUs(),
      openWriter: () => this.#openWriter(at, slot),
    }
    return { appender: new BranchAppender(context, at, manifest), slot }
  }

  #openWriter(at: BranchAddress, anchor: AnchorFile): BranchWriter {
    const { store, runtime, keys, writerLock } = this.#parts
    if (!keys.has(at.name)) {
      const details = { name: formatName(at.name) }
      throw new UsageError('NOT_A_WRITER', 'this home does not have the writer key', details)
    }
    writerLock.require()
    return openBranchWriter({ store, ...at, signer: keys.signer(at.name), runtime, anchor })
  }

  #manifest(name: CapsuleName): Manifest {
    const signed = this.#parts.store.manifest(name)
    if (signed !== undefined) return openManifest(signed, name).manifest
    const details = { name: formatName(name) }
    throw new UnavailableError('NOT_FOUND', 'this home does not know the capsule', details)
  }

  /** Closes the writers that were used longest ago, if nothing waits in them. */
  #forgetIdle(): void {
    for (const [key, { appender, slot }] of this.#appenders) {
      if (this.#appenders.size < APPENDERS_MAX) return
      if (!appender.isIdle) continue
      void appender.seal()
      slot.close()
      this.#appenders.delete(key)
    }
  }

  async #retire(key: string): Promise<void> {
    const open = this.#appenders.get(key)
    if (open === undefined) return
    await open.appender.seal()
    open.slot.close()
    this.#appenders.delete(key)
  }

  async #checkErasable(at: BranchAddress, ranges: readonly IndexRange[]): Promise<void> {
    const { store } = this.#parts
    this.#manifest(at.name)
    const size = committedHead(store, at.name, at.branch)?.size ?? 0
    for (const { start, end } of ranges) {
      if (end > size) {
        const details = { start, end, size }
        throw new UsageError('INDEX_OUT_OF_RANGE', `the capsule has ${size} entries`, details)
      }
      for (let from = start; from < end; from += SCAN_COUNT) {
        const range = { start: from, end: Math.min(end, from + SCAN_COUNT) }
        for (const { index, header } of store.scan(at.name, at.branch, range)) {
          if (decodeHeader(header).ext.control === null) continue
          const message = 'this entry has no payload: it says something about the capsule itself'
          throw new UsageError('NOT_ERASABLE', message, { index })
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

  /** The tree is about to grow under its writer, which then begins anew from what is committed. */
  async #underWriter<T>(
    at: BranchAddress,
    action: (context: ImportContext) => Promise<T>,
  ): Promise<T> {
    const { store, keys, takesIn } = this.#parts
    const key = addressKey(at)
    this.#importing.add(key)
    try {
      // Looked at once nobody can begin to take it in any more.
      if (takesIn?.(at.name) === true) {
        const message = 'this node takes the capsule in from its writer and from other mirrors'
        throw new UnavailableError('LOCKED', message, { name: formatName(at.name) })
      }
      await this.#retire(key)
      return await action({
        ...{ store, driver: this.driver, isOwn: keys.has(at.name) },
        isDamaged: () => isDamaged(store, at.name),
        signedSize: () => this.#signedSize(at),
      })
    } finally {
      this.#importing.delete(key)
    }
  }

  /** What the anchor says. */
  #signedSize({ name, branch }: BranchAddress): number {
    const slot = this.#parts.anchors.slot(name, branch)
    try {
      const bytes = slot.read()
      const anchor = bytes === undefined ? undefined : decodeAnchor(bytes)
      return anchor !== undefined && bytesEqual(anchor.name, name) ? anchor.size : 0
    } finally {
      slot.close()
    }
  }

  #inSlices<T>(begin: () => Slices<T>): Promise<T> {
    return this.driver.inSlices(begin, this.#givenUp.signal)
  }

  /** Long operations follow one another. */
  #runLong<T>(action: () => Promise<T>): Promise<T> {
    if (this.#isClosing || this.#givenUp.signal.aborted) return Promise.reject(closing())
    const run = this.#lastLongRun.then(action)
    this.#lastLongRun = run.catch(() => {})
    return run
  }

  #checkOpen(): void {
    if (this.#isClosing) throw closing()
  }
}

function addressKey({ name, branch }: BranchAddress): string {
  return `${formatHex(name)}/${formatHex(branch)}`
}

function closing(): UnavailableError {
  return new UnavailableError('CLOSED', 'the home is being closed')
}
