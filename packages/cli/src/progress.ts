/**
 * How far a long command is, on the last line of a terminal.
 *
 * @module
 */
import type { Output } from './output.ts'
import { formatByteSize } from './text/byte-size.ts'
import { formatCount } from './text/count.ts'

/** Faster than people read, slow enough to cost nothing. */
const INTERVAL_MS = 200

export class Progress {
  readonly #out: Output
  readonly #startedMs = performance.now()
  #drawnMs = 0

  constructor(out: Output) {
    this.#out = out
  }

  update(entries: number, bytes: number): void {
    if (!this.#out.interactive) return
    const nowMs = performance.now()
    if (nowMs - this.#drawnMs < INTERVAL_MS) return
    this.#drawnMs = nowMs
    const seconds = Math.max((nowMs - this.#startedMs) / 1000, 0.001)
    const rate = Math.round(entries / seconds)
    this.#out.draw(
      `${formatCount(entries, 'entry', 'entries')}, ${formatByteSize(bytes)}, ${rate} a second`,
    )
  }

  clear(): void {
    this.#out.draw('')
  }
}
