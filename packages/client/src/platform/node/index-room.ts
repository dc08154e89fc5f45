/**
 * Room on the disk for what LMDB is about to write.
 *
 * LMDB lengthens its file while it commits. If the disk is full at that moment it prints a line of
 * its own and writes beyond the end of a buffer, which may end the process. So the file is made
 * long enough, with zeros that are really written, before LMDB gets a batch; what it did not need
 * is cut off when the index is closed. Rule HM10 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { UnavailableError } from '@longshore/capsule'
import type { IndexWrite } from '@longshore/engine'
import { isFullError } from './file-error.ts'

/** Longer by this much at a time: a system call more for each 64 KiB that the index grows. */
const STEP_BYTES = 65_536

/** Metadata, and the list of free pages with the path to it. */
const PAGES_BESIDES = 16

/** As LMDB counts; pages are numbered from 0. */
export interface IndexExtent {
  readonly pageSize: number
  readonly treeDepth: number
  readonly lastPageNumber: number
}

export class IndexRoom {
  readonly #path: string
  #byteLength: number

  constructor(path: string) {
    this.#path = path
    this.#byteLength = fs.statSync(path).size
  }

  /**
   * Makes the file long enough for a batch, whatever LMDB makes of it.
   *
   * @throws {UnavailableError} `STORE_FULL`; then the file is as long as before.
   */
  reserve(extent: IndexExtent, batch: readonly IndexWrite[]): void {
    const pageCount = extent.lastPageNumber + 1 + countPagesMax(extent, batch)
    const needed = Math.ceil((pageCount * extent.pageSize) / STEP_BYTES) * STEP_BYTES
    if (needed <= this.#byteLength) return
    const fd = fs.openSync(this.#path, 'r+')
    try {
      writeZeros(fd, this.#byteLength, needed)
      this.#byteLength = needed
    } catch (cause) {
      fs.ftruncateSync(fd, this.#byteLength)
      if (!isFullError(cause)) throw cause
      const details = { path: this.#path }
      throw new UnavailableError('STORE_FULL', 'the index has no room', details, { cause })
    } finally {
      fs.closeSync(fd)
    }
  }

  /** Cuts off what LMDB has not used. */
  release({ pageSize, lastPageNumber }: IndexExtent): void {
    const used = (lastPageNumber + 1) * pageSize
    if (used < this.#byteLength) fs.truncateSync(this.#path, used)
    this.#byteLength = Math.min(used, this.#byteLength)
  }
}

function writeZeros(fd: number, from: number, to: number): void {
  const zeros = new Uint8Array(Math.min(STEP_BYTES, to - from))
  for (let at = from; at < to; ) {
    at += fs.writeSync(fd, zeros, 0, Math.min(zeros.length, to - at), at)
  }
}

/**
 * Pages that a batch may need behind the last one. LMDB writes no page in place: every page on
 * the way to a changed value is written anew, each at most once.
 */
function countPagesMax(extent: IndexExtent, batch: readonly IndexWrite[]): number {
  const { pageSize, treeDepth, lastPageNumber } = extent
  let [smallBytes, largePages] = [0, 0]
  for (const { key, value } of batch) {
    const bytes = key.length + (value?.length ?? 0)
    // Half a page and more lies in pages of its own.
    if (bytes > pageSize / 4) largePages += Math.ceil((bytes + 16) / pageSize)
    smallBytes += bytes > pageSize / 4 ? key.length + 16 : bytes + 16
  }
  const rewritten = Math.min(batch.length * (treeDepth + 1), lastPageNumber + 1)
  // Pages that split are half full at the least, and so are those above them.
  const added = 4 * Math.ceil(smallBytes / pageSize) + largePages
  const freed = Math.ceil(((rewritten + largePages) * 16) / pageSize)
  return rewritten + added + freed + PAGES_BESIDES
}
