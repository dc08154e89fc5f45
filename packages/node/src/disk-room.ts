/**
 * How much a node may still store: what the operator allows, and what the disk has.
 *
 * Asked before anything is accepted, and therefore often; looked at after a commit, and once a
 * second because others write to the disk as well. What is on its way meanwhile has the reserve,
 * and without a quota also what comes in some milliseconds.
 * Rule ND14 of docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'

/** Bytes that stay free on the disk: what is on its way must not fill it to the brim. */
const RESERVE_BYTES = 67_108_864
const LOOK_MS = 1000
/** The fastest disk takes a small part of the reserve meanwhile. */
const DISK_LOOK_MS = 10

export interface DiskRoomOptions {
  readonly path: string
  readonly quotaBytes: number | undefined
  /** What the store takes, and a number that changes whenever that may have. */
  readonly storedBytes: () => number
  readonly sequence: () => number
  /** Of a clock that never goes back. */
  readonly nowMs: () => number
  /** There is no room any more, or there is some again. */
  readonly changed: (isFull: boolean) => void
}

export class DiskRoom {
  readonly #options: DiskRoomOptions
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #sequence = -1
  #freeBytes = 0
  #isFull = false

  constructor(options: DiskRoomOptions) {
    this.#options = options
  }

  /** Bytes that may still be accepted; never below 0. */
  get freeBytes(): number {
    this.look()
    return this.#freeBytes
  }

  /** Looks at the disk if that is due. */
  look(): void {
    const nowMs = this.#options.nowMs()
    const sequence = this.#options.sequence()
    const isChanged = sequence !== this.#sequence
    const changedMs = this.#options.quotaBytes === undefined ? DISK_LOOK_MS : 0
    if (nowMs - this.#lookedAtMs < (isChanged ? changedMs : LOOK_MS)) return
    this.#lookedAtMs = nowMs
    this.#sequence = sequence
    this.#freeBytes = this.#measure()
    this.#noteChange(this.#freeBytes === 0)
  }

  #noteChange(isFull: boolean): void {
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.#options.changed(isFull)
  }

  #measure(): number {
    const { path, quotaBytes, storedBytes } = this.#options
    const { bavail, bsize } = fs.statfsSync(path)
    const ofDisk = bavail * bsize - RESERVE_BYTES
    const ofQuota = quotaBytes === undefined ? ofDisk : quotaBytes - storedBytes()
    return Math.max(0, Math.min(ofDisk, ofQuota))
  }
}
