/**
 * Whether one follow goes by the multicast tree, or by a session that streams to it.
 *
 * 1. It begins with a session. Once the tree brings a head that is newer than what was read at the
 *    last check, the tree delivers, and no mirror streams beside it.
 * 2. It goes back to a session when something is missing, or when what a mirror showed after one
 *    check is not there at the next. So a tree that loses, lags or is silent costs two intervals.
 * 3. What the tree brings ahead of the session is held, so that the two meet again.
 *
 * Rules RR11-RR16 of docs/spec/mirror.md.
 *
 * @module
 */
import { copyBytes } from '@longshore/capsule'
import { PUBLICATIONS_HELD_BYTES_MAX } from './limits.ts'

interface Held {
  readonly start: number
  readonly payload: Uint8Array
}

export class TreeFollow {
  #isOn = false
  /** What was read at the last check, or when the session began. */
  #readSize = 0
  #held: Held[] = []

  /** The tree delivers: nobody streams. */
  get isOn(): boolean {
    return this.#isOn
  }

  /** A session streams from `size` on. */
  stream(size: number): void {
    this.#isOn = false
    this.#readSize = size
  }

  /** The tree has brought this, nothing is missing before it. True if it delivers from now on. */
  bring(headSize: number): boolean {
    if (this.#isOn || headSize <= this.#readSize) return false
    this.#isOn = true
    return true
  }

  /** True if the tree has lost something: a mirror, asked at the last check, showed more. */
  check(size: number, shownSize: number): boolean {
    this.#readSize = size
    return this.#isOn && size < shownSize
  }

  /** Came too early; `start` is its first entry. */
  hold(start: number, payload: Uint8Array): void {
    this.#held.push({ start, payload: copyBytes(payload) })
    let bytes = this.#held.reduce((sum, held) => sum + held.payload.length, 0)
    while (bytes > PUBLICATIONS_HELD_BYTES_MAX) bytes -= this.#held.shift()?.payload.length ?? 0
  }

  /** The next one that was held and is not too early any more. */
  takeHeld(size: number): Uint8Array | undefined {
    const [first] = this.#held
    if (first === undefined || first.start > size) return undefined
    this.#held.shift()
    return first.payload
  }
}
