/**
 * What an operator does with a capsule that a mirror holds: drop it, take that back, free its disk.
 *
 * Rule ND13 of docs/spec/node.md.
 *
 * @module
 */
import {
  type CapsuleName,
  formatName,
  isLongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import type { HeldHome } from '@longshore/client/node'
import {
  droppedOp,
  isDropped,
  type Mirror,
  type MirrorEffect,
  planRemoval,
  type Removal,
  type Runtime,
  readChain,
} from '@longshore/engine'

export interface DropOptions {
  /** Take it on again. */
  readonly undo?: boolean
  /** What was stored leaves the disk. */
  readonly free?: boolean
}

export interface CapsuleDropsParts {
  readonly held: Pick<HeldHome, 'store' | 'driver' | 'keys' | 'compact' | 'withinReserve'>
  readonly headLog: CapsuleName
  /** Undefined: the node is no mirror. */
  readonly mirror: Mirror | undefined
  readonly runtime: Runtime
  readonly tell: (effects: readonly MirrorEffect[]) => void
}

export class CapsuleDrops {
  readonly #parts: CapsuleDropsParts

  constructor(parts: CapsuleDropsParts) {
    this.#parts = parts
  }

  /**
   * @throws {UnavailableError} `NOT_FOUND` if this node does not mirror it; `POLICY_REFUSED` if it
   * is to be freed and this home writes it.
   */
  async drop(name: CapsuleName, { undo = false, free = false }: DropOptions): Promise<void> {
    const { mirror, held, runtime } = this.#parts
    const { store, driver } = held
    const wasDropped = isDropped(store, name)
    const isFreed = free && store.manifest(name) !== undefined
    const isHeld = undo || wasDropped ? wasDropped && (undo || isFreed) : readChain(store, name)
    if (mirror === undefined || !isHeld) {
      const message = undo ? 'no such capsule was dropped here' : 'this node does not mirror it'
      throw new UnavailableError('NOT_FOUND', message, { capsule: formatName(name) })
    }
    if (isFreed) this.#checkFreeable(name)
    // On a full disk this is what makes room.
    if (undo || !wasDropped) {
      await held.withinReserve(() => driver.submit([droppedOp(name, !undo)]))
    }
    const details = { capsule: formatName(name), undo: String(undo) }
    runtime.log('info', 'mirror.dropped', details)
    if (undo) this.#serveAgain(mirror, name)
    else {
      this.#parts.tell(mirror.forget(name))
      if (isFreed) await this.#free(mirror, name)
    }
  }

  #serveAgain(mirror: Mirror, name: CapsuleName): void {
    const { store } = this.#parts.held
    const manifest = store.manifest(name)
    const chain = readChain(store, name)
    if (!manifest || !chain) return
    this.#parts.tell([{ type: 'advertise', name, manifest, chain }, ...mirror.served(name)])
  }

  #checkFreeable(name: CapsuleName): void {
    const { held, headLog } = this.#parts
    planRemoval(held.store, headLog, name)
    if (!held.keys.has(name)) return
    throw new UnavailableError('POLICY_REFUSED', 'this home writes the capsule itself')
  }

  /** The mirror states nothing of it any more; what it had stated may be on its way yet. */
  async #free(mirror: Mirror, name: CapsuleName): Promise<void> {
    const { held, headLog } = this.#parts
    const plan = (): Removal => planRemoval(held.store, headLog, name)
    await held.withinReserve(async () => {
      const { ops } = await held.driver.between(plan)
      await held.driver.submit(ops)
    })
    mirror.freed(name)
    this.#compact(name).catch((error: unknown) => {
      // The next compaction does it.
      if (!isLongshoreError(error)) throw error
    })
  }

  async #compact(name: CapsuleName): Promise<void> {
    const { held } = this.#parts
    const { bytesBefore, bytesAfter } = await held.withinReserve(() => held.compact())
    const bytes = Math.max(0, bytesBefore - bytesAfter)
    this.#parts.runtime.log('info', 'mirror.freed', { capsule: formatName(name), bytes })
  }
}
