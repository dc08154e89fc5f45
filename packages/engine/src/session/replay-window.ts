/**
 * Which counters were seen: each is accepted once, within a window behind the newest one.
 *
 * A ring of bits, as in RFC 6479: moving forward clears whole words. Rule SN12.
 *
 * @module
 */
import { REPLAY_WINDOW_PACKETS } from './limits.ts'

const WORD_BITS = 32
/** One word more than the window, so that a word is cleared before it is used again. */
const WORDS: number = REPLAY_WINDOW_PACKETS / WORD_BITS + 1

export class ReplayWindow {
  readonly #seen: Uint32Array = new Uint32Array(WORDS)
  #newest = -1

  /** False if it was seen, or is too old to know. */
  isNew(counter: number): boolean {
    if (counter > this.#newest) return true
    if (counter <= this.#newest - REPLAY_WINDOW_PACKETS) return false
    const word = this.#seen[Math.floor(counter / WORD_BITS) % WORDS] as number
    return ((word >>> (counter % WORD_BITS)) & 1) === 0
  }

  /** Only for a counter that `isNew`, after its packet proved to be genuine. */
  mark(counter: number): void {
    const at = Math.floor(counter / WORD_BITS)
    if (counter > this.#newest) {
      const before = this.#newest < 0 ? -1 : Math.floor(this.#newest / WORD_BITS)
      for (let word = Math.max(before + 1, at - WORDS + 1); word <= at; word++) {
        this.#seen[word % WORDS] = 0
      }
      this.#newest = counter
    }
    this.#seen[at % WORDS] = (this.#seen[at % WORDS] as number) | (1 << (counter % WORD_BITS))
  }
}
