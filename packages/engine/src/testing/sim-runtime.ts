/**
 * A simulated runtime: a clock that only the test moves, and randomness from the seed.
 *
 * @module
 */
import type { Runtime } from '../runtime/runtime.ts'
import type { Prng } from './prng.ts'

/** Where virtual time begins: 2025-01-01T00:00:00Z. */
export const EPOCH_US = 1_735_689_600_000_000

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly details: Readonly<Record<string, string | number>>
}

export class SimRuntime implements Runtime {
  /** What the clock shows; a test may set it, also back. */
  timeUs: number = EPOCH_US
  bootId = 'boot-1'
  readonly logged: LogLine[] = []
  readonly #prng: Prng

  constructor(prng: Prng) {
    this.#prng = prng
  }

  nowUs(): number {
    return this.timeUs
  }

  randomBytes(byteLength: number): Uint8Array {
    return this.#prng.bytes(byteLength)
  }

  log(level: string, event: string, details: Readonly<Record<string, string | number>> = {}): void {
    this.logged.push({ level, event, details })
  }

  /** The machine restarts: another boot id, as after a power loss. */
  restart(): void {
    this.bootId = `boot-${Number(this.bootId.slice('boot-'.length)) + 1}`
  }
}
