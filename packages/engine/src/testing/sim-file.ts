/**
 * One file of the simulated disk: what the page cache shows, and what the platter holds.
 *
 * A write changes the cache and marks the sectors it touches; a sync copies marked sectors to the
 * platter; a power loss keeps any subset of the marked ones. No sector is ever half written: a
 * torn write is some of its sectors.
 *
 * Rules SM2 and SM3 of docs/spec/simulation.md.
 *
 * @module
 */
import type { Prng } from './prng.ts'

const SECTOR_BYTES = 512

const CLEAN = 0
const DIRTY = 1

/** `bytes` with room for at least `byteLength`, grown by doubling; new bytes are zero. */
function withRoom(bytes: Uint8Array, byteLength: number): Uint8Array {
  if (bytes.length >= byteLength) return bytes
  const grown = new Uint8Array(Math.max(byteLength, bytes.length * 2, SECTOR_BYTES))
  grown.set(bytes)
  return grown
}

export class SimFile {
  byteLength = 0
  #cache: Uint8Array = new Uint8Array(0)
  #platter: Uint8Array = new Uint8Array(0)
  #platterLength = 0
  /** One byte per sector: does the cache hold something that the platter may lack? */
  #marks: Uint8Array = new Uint8Array(0)
  /** Lengths that the file had since the last sync. A power loss keeps one of them. */
  #lengths: number[] = []

  read(position: number, into: Uint8Array): number {
    const end = Math.min(position + into.length, this.byteLength)
    if (position >= end) return 0
    into.set(this.#cache.subarray(position, end))
    return end - position
  }

  /** `prng` decides whether an older version of a marked sector reached the platter meanwhile. */
  write(position: number, chunk: Uint8Array, prng: Prng): void {
    const end = position + chunk.length
    this.#reserve(end)
    this.#mark(position, end, prng)
    this.#cache.set(chunk, position)
    if (end > this.byteLength) this.#setLength(end)
  }

  truncate(byteLength: number, prng: Prng): void {
    this.#reserve(byteLength)
    if (byteLength < this.byteLength) {
      this.#mark(byteLength, this.byteLength, prng)
      this.#cache.fill(0, byteLength, this.byteLength)
    }
    this.#setLength(byteLength)
  }

  sync(): void {
    this.#writeBack(() => true)
    this.#platterLength = this.byteLength
    this.#lengths = []
  }

  /**
   * A sync that failed: some sectors reached the platter, the others are forgotten by the kernel.
   * They stay visible until the next restart, but no later sync will write them.
   */
  failSync(prng: Prng): void {
    this.#writeBack(() => prng.chance(0.5))
    this.#marks.fill(CLEAN)
    if (prng.chance(0.5)) this.#platterLength = this.byteLength
    this.#lengths = []
  }

  /** Power loss: the platter gets any subset of the marked sectors and any of the lengths. */
  losePower(prng: Prng): void {
    const keep = prng.pick([0, 0.1, 0.5, 0.9, 1])
    this.#writeBack(() => prng.chance(keep))
    const length = prng.pick([this.#platterLength, ...this.#lengths])
    this.#platter = withRoom(this.#platter, length)
    this.#platter.fill(0, length)
    this.#platterLength = length
    this.byteLength = length
    this.#cache = this.#platter.slice()
    this.#marks = new Uint8Array(Math.ceil(this.#cache.length / SECTOR_BYTES))
    this.#lengths = []
  }

  /** Damage at rest: both the cache and the platter show it, and no sync repairs it. */
  flipBit(position: number, bit: number): void {
    for (const bytes of [this.#cache, this.#platter]) {
      if (position < bytes.length) bytes[position] = (bytes[position] as number) ^ (1 << bit)
    }
  }

  /** The bytes that a process sees now. */
  contents(): Uint8Array {
    return this.#cache.slice(0, this.byteLength)
  }

  /** A copy as `cp` makes it and `sync` finishes it: what the cache shows, on the platter. */
  copy(): SimFile {
    const copy = new SimFile()
    copy.#cache = this.contents()
    copy.#platter = this.contents()
    copy.#marks = new Uint8Array(Math.ceil(this.byteLength / SECTOR_BYTES))
    copy.byteLength = this.byteLength
    copy.#platterLength = this.byteLength
    return copy
  }

  #reserve(byteLength: number): void {
    this.#cache = withRoom(this.#cache, byteLength)
    const sectors = Math.ceil(this.#cache.length / SECTOR_BYTES)
    if (this.#marks.length < sectors) {
      const marks = new Uint8Array(sectors)
      marks.set(this.#marks)
      this.#marks = marks
    }
  }

  #mark(from: number, to: number, prng: Prng): void {
    const last = Math.ceil(to / SECTOR_BYTES)
    for (let sector = Math.floor(from / SECTOR_BYTES); sector < last; sector++) {
      if (this.#marks[sector] === DIRTY && prng.chance(0.25)) this.#writeSector(sector)
      this.#marks[sector] = DIRTY
    }
  }

  #setLength(byteLength: number): void {
    this.byteLength = byteLength
    this.#lengths.push(byteLength)
  }

  #writeBack(survives: () => boolean): void {
    let sector = this.#marks.indexOf(DIRTY)
    while (sector !== -1) {
      if (survives()) {
        this.#writeSector(sector)
        this.#marks[sector] = CLEAN
      }
      sector = this.#marks.indexOf(DIRTY, sector + 1)
    }
  }

  #writeSector(sector: number): void {
    const from = sector * SECTOR_BYTES
    const to = Math.min(from + SECTOR_BYTES, this.#cache.length)
    this.#platter = withRoom(this.#platter, to)
    this.#platter.set(this.#cache.subarray(from, to), from)
  }
}
