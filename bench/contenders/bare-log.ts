/**
 * The limit: what this disk and these primitives give to a log without any of the product.
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, writeSync, writevSync } from 'node:fs'
import {
  asCapsuleName,
  createSigner,
  MAIN_BRANCH,
  RightEdge,
  sha256Into,
  signHead,
} from '@longshore/capsule'

const FILE_BYTES = 64 << 20
const NAME = asCapsuleName(new Uint8Array(32).fill(2))

/** A file of written zeros, so that syncing it never has to allocate. */
function openPreallocated(path: string): number {
  const file = openSync(path, 'w+')
  const zeros = new Uint8Array(1 << 20)
  for (let at = 0; at < FILE_BYTES; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
  fdatasyncSync(file)
  return file
}

/** Writes 256 bytes and syncs, in place, one after the other. */
export class BareSync {
  readonly #file: number
  readonly #block = new Uint8Array(256).fill(7)
  #position = 0

  constructor(path: string) {
    this.#file = openPreallocated(path)
  }

  write(): void {
    writeSync(this.#file, this.#block, 0, this.#block.length, this.#position)
    fdatasyncSync(this.#file)
    this.#position = (this.#position + this.#block.length) % FILE_BYTES
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Hashes each entry, extends a tree, signs its root, writes all with one call, syncs. */
export class BareSignedLog {
  readonly #file: number
  readonly #signer = createSigner(new Uint8Array(32).fill(1))
  readonly #entries: Uint8Array[]
  readonly #leafHashes: Uint8Array
  readonly #commitBytes: number
  readonly #edge = RightEdge.empty()
  #position = 0

  constructor(path: string, commitCount: number, payloadBytes: number) {
    this.#file = openPreallocated(path)
    // About what a header takes.
    const entryBytes = payloadBytes + 50
    this.#entries = Array.from({ length: commitCount }, () => new Uint8Array(entryBytes).fill(3))
    this.#leafHashes = new Uint8Array(32 * commitCount)
    this.#commitBytes = entryBytes * commitCount
  }

  commit(): void {
    for (const [at, entry] of this.#entries.entries()) {
      entry[0] = at
      // Once for the payload, once for the leaf.
      sha256Into(this.#leafHashes, 32 * at, entry, 50, entry.length)
      sha256Into(this.#leafHashes, 32 * at, entry, 0, 50)
    }
    this.#edge.append(this.#leafHashes)
    const { size } = this.#edge
    const head = { name: NAME, branch: MAIN_BRANCH, epoch: 0, size, root: this.#edge.root() }
    const { signature } = signHead(head, this.#signer)
    if (this.#position + this.#commitBytes + 64 > FILE_BYTES) this.#position = 0
    writevSync(this.#file, [...this.#entries, signature], this.#position)
    fdatasyncSync(this.#file)
    this.#position += this.#commitBytes + 64
  }

  close(): void {
    closeSync(this.#file)
  }
}
