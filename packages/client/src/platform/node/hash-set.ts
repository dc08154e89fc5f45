/**
 * A set of hashes in flat memory: about 32 bytes each, where a Set of strings would take ten times
 * as much. Keeps 16 bytes of every hash: enough that nobody finds two that look alike.
 *
 * @module
 */
const KEPT_BYTES = 16

export class HashSet {
  #slots: Uint8Array
  #isTaken: Uint8Array
  #count = 0

  /** Room for `countMax` hashes is made as it is needed. */
  constructor(countMax: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, Math.min(countMax, 1024) * 2)))
    this.#slots = new Uint8Array(capacity * KEPT_BYTES)
    this.#isTaken = new Uint8Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  /** True if the hash was not there. */
  add(hash: Uint8Array): boolean {
    if (this.#count * 2 >= this.#isTaken.length) this.#grow()
    const slot = this.#find(hash, 0)
    if (this.#isTaken[slot] === 1) return false
    this.#slots.set(hash.subarray(0, KEPT_BYTES), slot * KEPT_BYTES)
    this.#isTaken[slot] = 1
    this.#count++
    return true
  }

  /** Where the hash is, or the free slot where it goes. Half of all slots are free. */
  #find(bytes: Uint8Array, at: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at)
    const mask = this.#isTaken.length - 1
    let slot = view.getUint32(0) & mask
    while (this.#isTaken[slot] === 1 && !this.#isSame(slot, bytes, at)) slot = (slot + 1) & mask
    return slot
  }

  #isSame(slot: number, bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < KEPT_BYTES; i++) {
      if (this.#slots[slot * KEPT_BYTES + i] !== bytes[at + i]) return false
    }
    return true
  }

  #grow(): void {
    const [slots, isTaken] = [this.#slots, this.#isTaken]
    this.#slots = new Uint8Array(slots.length * 2)
    this.#isTaken = new Uint8Array(isTaken.length * 2)
    for (let old = 0; old < isTaken.length; old++) {
      if (isTaken[old] === 0) continue
      const slot = this.#find(slots, old * KEPT_BYTES)
      this.#slots.set(slots.subarray(old * KEPT_BYTES, (old + 1) * KEPT_BYTES), slot * KEPT_BYTES)
      this.#isTaken[slot] = 1
    }
  }
}
