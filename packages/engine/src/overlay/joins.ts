/**
 * The neighbors that this node wants a link to: dials them, and dials again when a link is lost,
 * later each time and never in step with others. An address that does not answer holds up none of
 * the other addresses of its ticket.
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
  /** Those under way; the first that is answered is used. */
  readonly dials: Set<number>
  /** Addresses that are still to be dialled in this turn. */
  untried: string[]
  /** Until the next address, or until all of them are dialled again. */
  timer: Timer | undefined
  isActive: boolean
}

export class Joins {
  readonly #machine: Machine
  readonly #byName = new Map<string, Join>()
  readonly #byDial = new Map<number, Join>()
  #lastDial = 0

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
      ...{ dials: new Set<number>(), untried: [], timer: undefined, isActive: true },
    }
    this.#byName.set(key, join)
    this.#dialAll(join)
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

  /** Whose dial a connection answers; it is over, and so are the others of that neighbor. */
  takeDial(dial: number): Join | undefined {
    const join = this.#byDial.get(dial)
    if (join !== undefined) this.#stopDialling(join)
    return join
  }

  failed(dial: number, reason: string): void {
    const join = this.#byDial.get(dial)
    if (join === undefined) return
    this.#byDial.delete(dial)
    join.dials.delete(dial)
    join.reason = reason
    if (join.untried.length > 0) this.#dialNext(join)
    if (join.dials.size > 0) return
    // Once for each time that it is lost: how often it was tried is not worth a line each.
    const level = join.failures === 0 ? 'warn' : 'debug'
    this.again(join, reason)
    const peer = formatName(join.ticket.name)
    this.#machine.runtime.log(level, 'link.dial-failed', { peer, reason })
  }

  /** A link of this neighbor is gone, or did not come up. */
  again(join: Join, reason: string): void {
    join.reason = reason
    if (!join.isActive || join.dials.size > 0 || join.timer !== undefined) return
    const { redialUsMin, redialUsMax } = this.#machine.limits
    const fullUs = Math.min(redialUsMin * 2 ** Math.min(join.failures, 30), redialUsMax)
    join.failures++
    // Half of it by chance: nodes that lost the same router do not come back at the same time.
    const chance = readUint32(this.#machine.runtime.randomBytes(4), 0) / 2 ** 32
    const delayUs = Math.floor((fullUs * (1 + chance)) / 2)
    join.timer = this.#machine.timers.schedule(this.#machine.nowUs + delayUs, () => {
      this.#dialAll(join)
    })
  }

  /** Each time beginning with another address: one may answer and be of no use all the same. */
  #dialAll(join: Join): void {
    const { addresses } = join.ticket
    const first = join.failures % addresses.length
    join.untried = [...addresses.slice(first), ...addresses.slice(0, first)]
    this.#dialNext(join)
  }

  #dialNext(join: Join): void {
    const { timers, limits, nowUs } = this.#machine
    timers.cancel(join.timer)
    join.timer = undefined
    const address = join.untried.shift() as string
    const dial = ++this.#lastDial
    join.dials.add(dial)
    this.#byDial.set(dial, join)
    this.#machine.emit({ type: 'dial', dial, address, tlsKey: join.ticket.tlsKey })
    if (join.untried.length === 0) return
    join.timer = timers.schedule(nowUs + limits.nextAddressUs, () => this.#dialNext(join))
  }

  #stopDialling(join: Join): void {
    for (const dial of join.dials) this.#byDial.delete(dial)
    join.dials.clear()
    join.untried = []
    this.#machine.timers.cancel(join.timer)
    join.timer = undefined
  }

  #forget(key: string): void {
    const join = this.#byName.get(key)
    if (join === undefined) return
    this.#byName.delete(key)
    join.isActive = false
    this.#stopDialling(join)
  }
}

function isSame(a: Ticket, b: Ticket): boolean {
  return bytesEqual(a.tlsKey, b.tlsKey) && a.addresses.join(' ') === b.addresses.join(' ')
}
