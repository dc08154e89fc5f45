/**
 * The writers' anchors: what each capsule of this machine has signed last, kept outside the homes.
 *
 * One file of fixed length per branch, in `$XDG_STATE_HOME/longshore/anchors`. What is in it and
 * what it means is decided in the engine (docs/design/0002-anchor.md); this file only moves bytes.
 * A write goes to the page cache with one system call, so it survives the process. It is synced
 * at most once a second and at close: after a power loss an anchor may be older than the home,
 * which the rule allows. A new anchor is synced at once, because a missing one means a lost state.
 *
 * Rules HM14-HM15 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import {
  type BranchId,
  type CapsuleName,
  formatBranch,
  formatName,
  UnavailableError,
} from '@longshore/capsule'
import { ANCHOR_BYTES, type AnchorSlot } from '@longshore/engine'
import { makeDirectories, readRegularFile, writeFileDurably } from './node-disk.ts'

const SYNC_DELAY_MS = 1000

export class AnchorDirectory {
  readonly path: string
  readonly #unsynced = new Set<AnchorFile>()
  #timer: NodeJS.Timeout | undefined

  constructor(path: string) {
    this.path = path
  }

  /** The place of one anchor, whether there is one or not. Close it when its writer is gone. */
  slot(name: CapsuleName, branch: BranchId): AnchorFile {
    const suffix = branch.byteLength === 0 ? '' : `.${formatBranch(branch)}`
    return new AnchorFile(this, join(this.path, `${formatName(name)}${suffix}`))
  }

  /** A slot was written: it will be synced within a second. */
  noteWritten(file: AnchorFile): void {
    this.#unsynced.add(file)
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const unsynced of this.#unsynced) unsynced.syncOffThread()
      this.#unsynced.clear()
    }, SYNC_DELAY_MS)
    // The process may end before: `close` syncs, and after a kill the page cache remains.
    this.#timer.unref()
  }

  noteSynced(file: AnchorFile): void {
    this.#unsynced.delete(file)
  }

  /** Syncs what was not synced. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const file of this.#unsynced) file.sync()
  }
}

/** One anchor file. Every commit of its writer writes it. */
export class AnchorFile implements AnchorSlot {
  readonly #directory: AnchorDirectory
  readonly #path: string
  #fd = -1

  constructor(directory: AnchorDirectory, path: string) {
    this.#directory = directory
    this.#path = path
  }

  read(): Uint8Array | undefined {
    return asAnchorError(this.#path, () => {
      try {
        // One more than an anchor has: a longer file is none.
        return readRegularFile(this.#path, ANCHOR_BYTES + 1)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    })
  }

  write(bytes: Uint8Array): void {
    asAnchorError(this.#path, () => {
      if (this.#fd === -1) this.#openOrCreate(bytes)
      const written = fs.writeSync(this.#fd, bytes, 0, bytes.byteLength, 0)
      if (written !== bytes.byteLength) throw new Error('the disk is full')
    })
    this.#directory.noteWritten(this)
  }

  sync(): void {
    asAnchorError(this.#path, () => {
      if (this.#fd !== -1) fs.fdatasyncSync(this.#fd)
    })
    this.#directory.noteSynced(this)
  }

  syncOffThread(): void {
    // A failure is nobody's to answer: after a power loss an anchor may be behind.
    if (this.#fd !== -1) fs.fdatasync(this.#fd, () => {})
  }

  close(): void {
    if (this.#fd === -1) return
    this.sync()
    fs.closeSync(this.#fd)
    this.#fd = -1
  }

  /** For a capsule that did not come about. */
  remove(): void {
    this.close()
    fs.rmSync(this.#path, { force: true })
  }

  #openOrCreate(bytes: Uint8Array): void {
    makeDirectories(this.#directory.path, 0o700)
    const isSound = fs.existsSync(this.#path) && fs.statSync(this.#path).size === bytes.byteLength
    if (!isSound) writeFileDurably(this.#path, bytes, 0o600)
    this.#fd = fs.openSync(this.#path, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW)
  }
}

function asAnchorError<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UnavailableError(
      'ANCHOR_UNWRITABLE',
      `the writer's anchor cannot be used: ${reason}`,
      { path },
      { cause: error },
    )
  }
}
