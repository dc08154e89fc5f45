/**
 * When to ask again for a session that did not come about, or was lost: at once the first time,
 * then after a quarter of a second, doubling up to half a minute, each time somewhere between
 * half and all of it, so that those who lost the same mirror do not come back together. A link that
 * comes up may be the way that was missing: then the delays begin anew.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import type { Runtime } from '../runtime/runtime.ts'
import type { SteadyClock } from '../runtime/steady-clock.ts'
import { nameKey } from '../store/branch-key.ts'
import { readUint32 } from '../store/disk/big-endian.ts'

const DELAY_US_MIN = 250_000
const DELAY_US_MAX = 30_000_000
const U32_RANGE = 4_294_967_296

interface Attempt {
  readonly service: string
  readonly target: CapsuleName
  /** Delay before the next attempt after this one fails. */
  delayUs: number
  /** In steady time; undefined while an attempt is under way or its session is open. */
  dueUs: number | undefined
}

export class Backoff {
  readonly #runtime: Runtime
  readonly #clock: SteadyClock
  readonly #attempts = new Map<string, Attempt>()

  constructor(runtime: Runtime, clock: SteadyClock) {
    this.#runtime = runtime
    this.#clock = clock
  }

  /** True if nothing is under way or scheduled: begin now. */
  begin(service: string, target: CapsuleName): boolean {
    const key = attemptKey(service, target)
    if (this.#attempts.has(key)) return false
    this.#attempts.set(key, { service, target, delayUs: 0, dueUs: undefined })
    return true
  }

  /** The session is open: the next loss is tried again at once. */
  succeeded(service: string, target: CapsuleName): void {
    const attempt = this.#attempts.get(attemptKey(service, target))
    if (attempt !== undefined) attempt.delayUs = 0
  }

  /** It did not come about, or is lost: scheduled again. */
  failed(service: string, target: CapsuleName): void {
    const attempt = this.#attempts.get(attemptKey(service, target))
    if (attempt === undefined) return
    const { delayUs } = attempt
    attempt.dueUs = this.#clock.read() + this.#jitter(delayUs)
    attempt.delayUs = Math.min(DELAY_US_MAX, Math.max(DELAY_US_MIN, 2 * delayUs))
  }

  /** Something has changed that may help: all that waits begins anew, at the shortest delay. */
  hasten(): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.dueUs === undefined) continue
      const soonUs = this.#clock.read() + this.#jitter(DELAY_US_MIN)
      attempt.dueUs = Math.min(attempt.dueUs, soonUs)
      attempt.delayUs = DELAY_US_MIN
    }
  }

  /** No longer wanted. */
  forget(service: string, target: CapsuleName): void {
    this.#attempts.delete(attemptKey(service, target))
  }

  /** When the next attempt is due, in steady time; infinite if none is scheduled. */
  get dueUs(): number {
    let dueUs = Number.POSITIVE_INFINITY
    for (const attempt of this.#attempts.values()) {
      if (attempt.dueUs !== undefined && attempt.dueUs < dueUs) dueUs = attempt.dueUs
    }
    return dueUs
  }

  /** Attempts that are due now, each under way from here on. */
  takeDue(): readonly { readonly service: string; readonly target: CapsuleName }[] {
    const nowUs = this.#clock.read()
    const due: Attempt[] = []
    for (const attempt of this.#attempts.values()) {
      if (attempt.dueUs === undefined || attempt.dueUs > nowUs) continue
      attempt.dueUs = undefined
      due.push(attempt)
    }
    return due
  }

  /** Between half and all of it. */
  #jitter(delayUs: number): number {
    const share = 0.5 + readUint32(this.#runtime.randomBytes(4), 0) / (2 * U32_RANGE)
    return Math.floor(delayUs * share)
  }
}

function attemptKey(service: string, target: CapsuleName): string {
  return `${service}/${nameKey(target)}`
}
