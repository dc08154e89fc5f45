/**
 * Who we are to a home: its holder, a guest of another process, or a reader that never writes.
 *
 * 1. Whoever finds the lock free holds the home, except a reader.
 * 2. A guest reads the store by itself, and asks the holder to write.
 * 3. A guest that wants to write and finds the lock free becomes the holder.
 * 4. The reader object stays the same through all of this; what it shows never goes back.
 *
 * Rules HM4, HM20-HM23, HM44-HM46 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError, UsageError } from '@longshore/capsule'
import type { Runtime } from '@longshore/engine'
import { aborted, CommitSignal, checkNotAborted } from '../../commit-signal.ts'
import type { HomeWriter } from '../../home-writer.ts'
import { isFullError } from './file-error.ts'
import { Following } from './following.ts'
import { Forwarder } from './forwarder.ts'
import { HolderConnection } from './holder-connection.ts'
import { readHolderFile } from './holder-file.ts'
import { Holding } from './holding.ts'
import type { HomePaths } from './home-layout.ts'
import { HomeLock } from './home-lock.ts'
import { LiveReader } from './live-reader.ts'

/** How long another process may take to open or close the home before we give up on it. */
const PATIENCE_MS = 10_000
const RETRY_MS = 20
/** How often a reader looks whether the index was begun anew: rare, and only costs memory. */
const INDEX_LOOK_MS = 1000
/** Keeps the process running while it follows a home that it holds itself. */
const KEEP_ALIVE_MS = 2 ** 30

export class HomeAccess {
  readonly reader: LiveReader = new LiveReader()
  readonly commits: CommitSignal
  readonly #paths: HomePaths
  readonly #runtime: Runtime
  readonly #isReadOnly: boolean
  readonly #forwarder: Forwarder
  #holding: Holding | undefined
  #following: Following | undefined
  #connection: HolderConnection | undefined
  /** One attempt to find a writer, however many calls wait for it. */
  #reaching: Promise<HomeWriter> | undefined
  #closing: Promise<void> | undefined
  #lookedAtIndexMs = 0

  constructor(paths: HomePaths, runtime: Runtime, isReadOnly: boolean) {
    this.#paths = paths
    this.#runtime = runtime
    this.#isReadOnly = isReadOnly
    this.commits = new CommitSignal(() => this.#watch())
    this.#forwarder = new Forwarder(
      () => this.#reach(),
      () => this.refresh(),
    )
  }

  get role(): 'holder' | 'guest' | 'reader' {
    if (this.#isReadOnly) return 'reader'
    return this.#holding === undefined ? 'guest' : 'holder'
  }

  /** The store as this process sees it, for usage and checks. */
  get holding(): Holding | undefined {
    return this.#holding
  }

  get following(): Following | undefined {
    return this.#following
  }

  /** @throws {UnavailableError} `LOCKED`, `HOME_UNREADABLE`, `STORE_CORRUPT`, `ABORTED` */
  async open(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#retry(signal, async () => {
        if (!this.#isReadOnly && (await this.#tryHold())) return true
        return this.#tryFollow()
      })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Whoever writes for us, if that is this process. */
  writerNow(): HomeWriter | undefined {
    return this.#holding?.holder
  }

  /** Whoever writes for us, found anew if need be. */
  async writer(): Promise<HomeWriter> {
    if (this.#closing !== undefined) throw closed()
    if (this.#isReadOnly) {
      throw new UsageError('USAGE', 'the home was opened for reading only', {
        path: this.#paths.home,
      })
    }
    return this.#holding?.holder ?? this.#forwarder
  }

  /** Looks whether another process has committed something. */
  refresh(): void {
    if (this.#following === undefined) return
    const now = performance.now()
    if (now - this.#lookedAtIndexMs > INDEX_LOOK_MS) {
      this.#lookedAtIndexMs = now
      if (this.#following.isOutdated) this.#follow()
    }
    if (this.#following.refresh()) this.commits.notify()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.commits.close(closed())
    try {
      await this.#reaching?.catch(() => {})
      await this.#connection?.drain()
      await this.#holding?.close()
    } finally {
      this.#connection?.close()
      this.#following?.close()
      this.reader.use(undefined)
      this.#holding = undefined
      this.#following = undefined
    }
  }

  async #tryHold(): Promise<boolean> {
    const lock = HomeLock.tryAcquire(this.#paths.lock)
    if (lock === undefined) return false
    this.#following?.close()
    this.#following = undefined
    const notify = (): void => this.commits.notify()
    try {
      this.#holding = await Holding.open(this.#paths, lock, this.#runtime, {
        onCommit: notify,
      })
    } catch (error) {
      this.#follow()
      throw error
    }
    this.reader.use(this.#holding.store)
    this.commits.restart()
    return true
  }

  /** False if there is no index yet, and somebody else is about to build it. */
  async #tryFollow(): Promise<boolean> {
    try {
      return await this.#followIndex()
    } catch (error) {
      if (!this.#isReadOnly || !cannotWrite(this.#paths, error)) throw error
      this.#use(Following.openJournal(this.#paths, this.#runtime))
      return true
    }
  }

  async #followIndex(): Promise<boolean> {
    if (this.#follow()) return true
    const lock = HomeLock.tryAcquire(this.#paths.lock)
    if (lock === undefined) return false
    // Nobody is there to build it: done here, once, although we only want to read.
    const holding = await Holding.open(this.#paths, lock, this.#runtime, {
      onCommit: () => {},
    })
    await holding.close()
    return this.#follow()
  }

  /** Opens store and index for reading, again if they were open; false if there is no index. */
  #follow(): boolean {
    const following = Following.open(this.#paths, this.#runtime)
    if (following === undefined) return false
    this.#use(following)
    return true
  }

  #use(following: Following): void {
    this.#following?.close()
    this.#following = following
    this.reader.use(following.store)
  }

  #reach(): Promise<HomeWriter> {
    if (this.#holding !== undefined) return Promise.resolve(this.#holding.holder)
    if (this.#connection?.isOpen === true) return Promise.resolve(this.#connection)
    this.#reaching ??= this.#findWriter().finally(() => {
      this.#reaching = undefined
    })
    return this.#reaching
  }

  async #findWriter(): Promise<HomeWriter> {
    await this.#retry(undefined, async () => {
      if (this.#closing !== undefined) throw closed()
      if (await this.#tryHold()) return true
      const holder = readHolderFile(this.#paths.holder)
      if (holder === undefined) return false
      this.#connection = await HolderConnection.open(holder.socket)
      return this.#connection !== undefined
    })
    return this.#holding?.holder ?? (this.#connection as HolderConnection)
  }

  /** Until `attempt` succeeds, or nobody can be expected to wait longer. */
  async #retry(signal: AbortSignal | undefined, attempt: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!(await attempt())) {
      if (performance.now() > deadline) throw this.#locked()
      try {
        await sleep(RETRY_MS, undefined, signal === undefined ? {} : { signal })
      } catch {
        throw aborted(signal)
      }
    }
    checkNotAborted(signal)
  }

  #locked(): UnavailableError {
    const holder = readHolderFile(this.#paths.holder)
    const who =
      holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`
    return new UnavailableError('LOCKED', `the home is held by ${who}, which does not answer`, {
      path: this.#paths.home,
      ...(holder === undefined ? {} : { pid: holder.pid, command: holder.command }),
    })
  }

  /** For those who follow: see CommitSignal. */
  #watch(): () => void {
    if (this.#following === undefined) {
      const timer = setInterval(() => {}, KEEP_ALIVE_MS)
      return () => clearInterval(timer)
    }
    return this.#following.watch(() => this.refresh())
  }
}

/** The home is on a full disk, or may not be written to: not even a reader's index has room. */
function cannotWrite({ home, index }: HomePaths, error: unknown): boolean {
  if (isFullError(error)) return true
  try {
    fs.accessSync(home, fs.constants.W_OK)
    if (fs.existsSync(index)) fs.accessSync(index, fs.constants.W_OK)
    return false
  } catch {
    return true
  }
}

function closed(): UnavailableError {
  return new UnavailableError('CLOSED', 'the home was closed')
}
