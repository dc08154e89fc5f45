/**
 * A set of hashes in flat memory: about 32 bytes each, where a Set of strings would take ten times
 * as much. Keeps 16 bytes of every hash: enough that nobody finds two that look alike.
 *
 * Whoever chose the hashes cannot make them collide here, because where they go is scattered by
 * random numbers.
 *
 * @module
 */
import { randomInt } from 'node:crypto'

const KEPT_BYTES = 16
const BITS_MIN = 8

export class HashSet {
  readonly #scatter: number = randomInt(2 ** 31) * 2 + 1
  readonly #salt: number = randomInt(2 ** 32)
  #bits: number = BITS_MIN
  #slots = new Uint8Array(2 ** BITS_MIN * KEPT_BYTES)
  #isTaken = new Uint8Array(2 ** BITS_MIN)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Has no effect if the hash is there already. */
  add(hash: Uint8Array): void {
    if (this.#count * 2 >= this.#isTaken.length) this.#grow()
    const slot = this.#find(hash, 0)
    if (this.#isTaken[slot] === 1) return
    this.#put(slot, hash, 0)
    this.#count++
  }

  /** Where the hash is, or the free slot where it goes. At least half of all slots are free. */
  #find(bytes: Uint8Array, at: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at)
    const mixed = Math.imul(view.getUint32(0) ^ this.#salt, this.#scatter)
    let slot = mixed >>> (32 - this.#bits)
    while (this.#isTaken[slot] === 1 && !this.#isSame(slot, bytes, at)) {
      slot = (slot + 1) % this.#isTaken.length
    }
    return slot
  }

  #isSame(slot: number, bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < KEPT_BYTES; i++) {
      if (this.#slots[slot * KEPT_BYTES + i] !== bytes[at + i]) return false
    }
    return true
  }

  #put(slot: number, bytes: Uint8Array, at: number): void {
    this.#slots.set(bytes.subarray(at, at + KEPT_BYTES), slot * KEPT_BYTES)
    this.#isTaken[slot] = 1
  }

  #grow(): void {
    const [slots, isTaken] = [this.#slots, this.#isTaken]
    this.#bits++
    this.#slots = new Uint8Array(2 ** this.#bits * KEPT_BYTES)
    this.#isTaken = new Uint8Array(2 ** this.#bits)
    for (let old = 0; old < isTaken.length; old++) {
      if (isTaken[old] === 1)
        this.#put(this.#find(slots, old * KEPT_BYTES), slots, old * KEPT_BYTES)
    }
  }
}
