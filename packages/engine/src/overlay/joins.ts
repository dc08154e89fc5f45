/**
 * The neighbors that this node wants a link to: dials them, and dials again when a link is lost,
 * later each time and never in step with others.
 *
 * Rules OV3 and OV4 of docs/spec/overlay.md.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, formatName, type Ticket } from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import { readUint32 } from '../store/disk/big-endian.ts'
import type { Machine } from './machine.ts'
import type { Timer } from './timers.ts'

export interface Join {
  readonly ticket: Ticket
  /** Dials and lost links since a link was last up. */
  failures: number
  /** Why the last dial failed or the last link ended. */
  reason: string
  /** The dial under way. */
  dial: number | undefined
  timer: Timer | undefined
  isActive: boolean
}

export class Joins {
  readonly #machine: Machine
  readonly #byName = new Map<string, Join>()
  readonly #byDial = new Map<number, Join>()
  #lastDial = 0
  #nextAddress = 0

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /**
   * Joins, or takes the newer ticket of a neighbor that was joined before; the same ticket again
   * changes nothing.
   *
   * @returns What was joined before, and is no more.
   */
  join(ticket: Ticket): Join | undefined {
    const key = nameKey(ticket.name)
    const before = this.#byName.get(key)
    if (before !== undefined && isSame(before.ticket, ticket)) return undefined
    this.#forget(key)
    const join: Join = {
      ...{ ticket, failures: 0, reason: '' },
      ...{ dial: undefined, timer: undefined, isActive: true },
    }
    this.#byName.set(key, join)
    this.#dial(join)
    return before
  }

  /** What was joined under this name, which is dialled no more. */
  leave(name: CapsuleName): Join | undefined {
    const key = nameKey(name)
    const join = this.#byName.get(key)
    this.#forget(key)
    return join
  }

  [Symbol.iterator](): IterableIterator<Join> {
    return this.#byName.values()
  }

  /** Dials nobody any more. */
  leaveAll(): void {
    for (const key of [...this.#byName.keys()]) this.#forget(key)
  }

  /** Whose dial a connection answers; the dial is over. */
  takeDial(dial: number): Join | undefined {
    const join = this.#byDial.get(dial)
    this.#byDial.delete(dial)
    if (join !== undefined) join.dial = undefined
    return join
  }

  failed(dial: number, reason: string): void {
    const join = this.takeDial(dial)
    if (join === undefined) return
    // Once for each time that it is lost: how often it was tried is not worth a line each.
    const level = join.failures === 0 ? 'warn' : 'debug'
    this.again(join, reason)
    const peer = formatName(join.ticket.name)
    this.#machine.runtime.log(level, 'link.dial-failed', { peer, reason })
  }

  /** A link of this neighbor is gone, or did not come up. */
  again(join: Join, reason: string): void {
    join.reason = reason
    if (!join.isActive || join.dial !== undefined || join.timer !== undefined) return
    const { redialUsMin, redialUsMax } = this.#machine.limits
    const fullUs = Math.min(redialUsMin * 2 ** Math.min(join.failures, 30), redialUsMax)
    join.failures++
    // Half of it by chance: nodes that lost the same router do not come back at the same time.
    const chance = readUint32(this.#machine.runtime.randomBytes(4), 0) / 2 ** 32
    const delayUs = Math.floor((fullUs * (1 + chance)) / 2)
    join.timer = this.#machine.timers.schedule(this.#machine.nowUs + delayUs, () => {
      join.timer = undefined
      this.#dial(join)
    })
  }

  #dial(join: Join): void {
    const { addresses, tlsKey } = join.ticket
    const address = addresses[this.#nextAddress++ % addresses.length] as string
    const dial = ++this.#lastDial
    join.dial = dial
    this.#byDial.set(dial, join)
    this.#machine.emit({ type: 'dial', dial, address, tlsKey })
  }

  #forget(key: string): void {
    const join = this.#byName.get(key)
    if (join === undefined) return
    this.#byName.delete(key)
    join.isActive = false
    this.#machine.timers.cancel(join.timer)
    if (join.dial !== undefined) this.#byDial.delete(join.dial)
  }
}

function isSame(a: Ticket, b: Ticket): boolean {
  return bytesEqual(a.tlsKey, b.tlsKey) && a.addresses.join(' ') === b.addresses.join(' ')
}
