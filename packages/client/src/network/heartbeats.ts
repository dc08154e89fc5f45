/**
 * Heartbeats of the capsules that this process keeps on mirrors: as long as it is connected a
 * reader can see that the newest head is the newest, although nothing is appended (F13).
 *
 * Rule NW25 of docs/spec/network.md.
 *
 * @module
 */
import {
  type CapsuleName,
  formatName,
  isLongshoreError,
  manifestKey,
  openCheckpoint,
  openManifest,
} from '@longshore/capsule'
import type { SizedHeartbeat, StoreReader } from '@longshore/engine'

export interface HeartbeatsOptions {
  readonly store: StoreReader
  /** Has the writer state its head: a checkpoint with its heartbeat. */
  readonly state: (name: CapsuleName) => Promise<string>
  /** Brings a heartbeat to the mirrors. */
  readonly tell: (name: CapsuleName, heartbeat: SizedHeartbeat) => void
  /** Calls back once, unless what is returned is called before. */
  readonly after: (delayMs: number, action: () => void) => () => void
}

/** Readers who want a statement of the last minute miss two of three without noticing. */
export const HEARTBEAT_MS = 20_000

export class Heartbeats {
  readonly #options: HeartbeatsOptions
  readonly #names = new Map<string, CapsuleName>()
  #cancel: (() => void) | undefined
  /** Heartbeats that are being signed. */
  #stating: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: HeartbeatsOptions) {
    this.#options = options
  }

  /** From now on the mirrors of this capsule hear of its writer again and again. */
  add(name: CapsuleName): void {
    this.#names.set(formatName(name), name)
    this.#cancel ??= this.#later()
  }

  /** One heartbeat now. A home whose writer may not sign, or is elsewhere, has none. */
  async state(name: CapsuleName): Promise<void> {
    try {
      this.tell(name, await this.#options.state(name))
    } catch (error) {
      if (!isLongshoreError(error)) throw error
    }
  }

  /** Brings a heartbeat that was made to the mirrors, as a checkpoint. */
  tell(name: CapsuleName, checkpoint: string): void {
    if (this.#isClosed) return
    const { manifest } = openManifest(this.#options.store.manifest(name) as Uint8Array, name)
    const writerKey = manifestKey(manifest, 'writer')
    const { head, heartbeat } = openCheckpoint(checkpoint, { name, writerKey })
    if (heartbeat !== undefined) this.#options.tell(name, { size: head.size, ...heartbeat })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#stating
  }

  #later(): () => void {
    return this.#options.after(HEARTBEAT_MS, () => {
      this.#cancel = this.#later()
      this.#stating = this.#stating.then(() => this.#stateAll())
    })
  }

  async #stateAll(): Promise<void> {
    for (const name of [...this.#names.values()]) await this.state(name)
  }
}
