/**
 * Decides whether an index file may be opened at all.
 *
 * LMDB maps its file into memory and believes it: a truncated or altered file ends the process
 * with SIGBUS or SIGSEGV, which no `catch` catches. So the file's seal is checked before it is
 * opened. After every change the writer notes which file it is (inode), how long it is, when it
 * was last written, and the hash of its two root pages. A file that was cut, swapped for
 * an older copy, or written by anybody else since does not fit its seal. The index can always be
 * rebuilt, so any doubt means: do not open.
 *
 * The index is written without syncs. After a restart of the operating system it is usable only
 * if it was sealed `clean`, that is: synced, and not written since.
 *
 * Not covered: bits that rot on the medium without anybody writing (the seal cannot see them),
 * and changes while a process has the index open. `fsck --repair` throws the index away.
 *
 * Rules HM10-HM12 of docs/spec/home.md. Layout, 128 bytes, big-endian:
 *
 *     0  "LSINDEX1"          8  boot id digest (16)     24 clean (1), zeros (7)
 *     32 generation (16)     48 inode (8)               56 length (8)
 *     64 mtime ns (8)        72 SHA-256 of the root pages (32), zeros (8)
 *     112 SHA-256 of bytes 0..111, first 16
 *
 * @module
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { readRegularFile } from './node-disk.ts'

const GUARD_BYTES = 128
const MAGIC = new TextEncoder().encode('LSINDEX1')
/** LMDB's two meta pages, with pages of 4 KiB; larger pages put more under the hash. */
const ROOT_PAGES_BYTES = 8192

export interface Seal {
  /** Random, new with every new file: readers see that theirs was replaced. */
  readonly generation: Uint8Array
  /** Synced, and not written since. */
  readonly clean: boolean
}

/** The file `<index>/guard` and the statement in it. */
export class IndexGuard {
  readonly #path: string
  readonly #bootDigest: Uint8Array
  #fd = -1

  constructor(path: string, bootDigest: Uint8Array) {
    this.#path = path
    this.#bootDigest = bootDigest
  }

  /** Notes the present state of the data file. Call after every change of it. */
  seal(dataFd: number, seal: Seal, durable: boolean): void {
    if (this.#fd === -1) {
      const isInTheWay = fs.lstatSync(this.#path, { throwIfNoEntry: false })?.isFile() === false
      if (isInTheWay) fs.rmSync(this.#path, { recursive: true })
      this.#fd = fs.openSync(this.#path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
      fs.ftruncateSync(this.#fd, 0)
    }
    const bytes = encodeGuard(dataFd, seal, this.#bootDigest)
    fs.writeSync(this.#fd, bytes, 0, GUARD_BYTES, 0)
    if (durable) fs.fsyncSync(this.#fd)
  }

  /** The seal, if the data file fits it; undefined if the file must not be opened. */
  check(dataFd: number): Seal | undefined {
    const stored = this.#read()
    if (stored === undefined) return undefined
    const seal = decodeSeal(stored)
    const sameBoot = stored.subarray(8, 24).every((byte, i) => byte === this.#bootDigest[i])
    if (!sameBoot && !seal.clean) return undefined
    const expected = encodeGuard(dataFd, seal, stored.subarray(8, 24))
    return expected.every((byte, i) => byte === stored[i]) ? seal : undefined
  }

  /** The generation on disk now, without looking at the data file. */
  generation(): Uint8Array | undefined {
    const stored = this.#read()
    return stored === undefined ? undefined : decodeSeal(stored).generation
  }

  close(): void {
    if (this.#fd !== -1) fs.closeSync(this.#fd)
    this.#fd = -1
  }

  #read(): Uint8Array | undefined {
    try {
      const bytes = readRegularFile(this.#path, GUARD_BYTES + 1)
      return bytes.byteLength === GUARD_BYTES ? bytes : undefined
    } catch {
      return undefined
    }
  }
}

function encodeGuard(dataFd: number, seal: Seal, bootDigest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(GUARD_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC, 0)
  bytes.set(bootDigest, 8)
  bytes[24] = seal.clean ? 1 : 0
  bytes.set(seal.generation, 32)
  const stat = fs.fstatSync(dataFd, { bigint: true })
  // No device number: it may change with every mount.
  view.setBigUint64(48, BigInt.asUintN(64, stat.ino))
  view.setBigUint64(56, stat.size)
  view.setBigUint64(64, BigInt.asUintN(64, stat.mtimeNs))
  const roots = new Uint8Array(ROOT_PAGES_BYTES)
  fs.readSync(dataFd, roots, 0, ROOT_PAGES_BYTES, 0)
  bytes.set(createHash('sha256').update(roots).digest(), 72)
  bytes.set(createHash('sha256').update(bytes.subarray(0, 112)).digest().subarray(0, 16), 112)
  return bytes
}

function decodeSeal(bytes: Uint8Array): Seal {
  return { generation: bytes.slice(32, 48), clean: bytes[24] === 1 }
}
