/**
 * The engine's outside world in Node: clock, randomness, boot id, and lines for an operator.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'
import type { Runtime } from '@longshore/engine'
import { readBootId } from './boot-id.ts'

/** Beyond this the system's clock was set, and we follow it. */
const DRIFT_MS_MAX = 2

export interface NodeRuntimeOptions {
  /** Gets what an operator should see. Default: nothing is printed. */
  readonly log?: Runtime['log']
}

/** Microseconds since 1970: the system's clock, with the resolution of the monotonic one. */
class MicrosecondClock {
  #offsetMs = Date.now() - performance.now()

  nowUs(): number {
    const wallMs = Date.now()
    let nowMs = performance.now() + this.#offsetMs
    if (Math.abs(nowMs - wallMs) > DRIFT_MS_MAX) {
      this.#offsetMs += wallMs - nowMs
      nowMs = wallMs
    }
    return Math.floor(nowMs * 1000)
  }
}

export function createNodeRuntime(options: NodeRuntimeOptions = {}): Runtime {
  const clock = new MicrosecondClock()
  return {
    nowUs: () => clock.nowUs(),
    randomBytes: (byteLength) => randomFillSync(new Uint8Array(byteLength)),
    bootId: readBootId(),
    log: options.log ?? (() => {}),
  }
}
