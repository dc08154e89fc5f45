/**
 * A simulated disk under a seed: torn, lost and reordered writes, lost renames, a full disk,
 * failing syncs, short reads, flipped bits, and a crash at any operation.
 *
 * It is at once the operating system (`Disk`, for the engine) and the hand of fate (everything
 * else, for the test). What survives is drawn from the seed alone, so a failure is reproduced by
 * its seed and the number of the operation. `crash` ends an incarnation: handles and half-done
 * calls of the old one throw `SimCrash` for ever, as if their process were gone.
 *
 * Rules SM2 to SM5 of docs/spec/simulation.md.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import { type Disk, DiskError, type DiskErrorCode, type DiskFile } from '../runtime/disk.ts'
import type { Prng } from './prng.ts'
import { parentOf, SimNames } from './sim-directory.ts'
import { SimFile } from './sim-file.ts'

/** The simulated process died in this call. Not an `Error` of the disk: nobody may handle it. */
export class SimCrash extends Error {
  override readonly name = 'SimCrash'
}

/** What happens at one operation instead of, or after, its normal effect. */
export type Fault = 'crash-before' | 'crash-after' | DiskErrorCode

export interface DiskCounts {
  /** Everything that changes the disk or makes it durable: numbered from 0, the crash points. */
  operations: number
  reads: number
  readBytes: number
  writes: number
  writtenBytes: number
  syncs: number
  directorySyncs: number
}

export class SimDisk implements Disk {
  readonly counts: DiskCounts = {
    operations: 0,
    reads: 0,
    readBytes: 0,
    writes: 0,
    writtenBytes: 0,
    syncs: 0,
    directorySyncs: 0,
  }
  /** Files may hold this many bytes together; a write that needs more fails FULL. */
  bytesMax: number = Number.POSITIVE_INFINITY
  /** Probability that a read stops early although the file goes on. */
  shortReads = 0
  /** The operation that the last fault hit, for messages: `12 write segments/00000001.0.seg`. */
  lastFault: string | undefined
  readonly #prng: Prng
  #names = new SimNames()
  readonly #faults = new Map<number, Fault>()
  #incarnation = 0
  #dead = false

  constructor(prng: Prng) {
    this.#prng = prng
  }

  // The hand of fate.

  /** The operation with this number (see `counts.operations`) fails so. */
  faultAt(operation: number, fault: Fault): void {
    this.#faults.set(operation, fault)
  }

  /** The process dies within the operation with this number: before its effect, or after. */
  crashAt(operation: number, when: 'before' | 'after'): void {
    this.faultAt(operation, `crash-${when}`)
  }

  /**
   * The machine loses power, or (`kill`) only the process dies and the page cache survives.
   * Open handles are dead, planned faults forgotten; the disk works again.
   */
  crash(how: 'power' | 'kill' = 'power'): void {
    this.#incarnation++
    this.#dead = false
    this.#faults.clear()
    if (how === 'kill') return
    for (const file of this.#names.files()) file.losePower(this.#prng)
    this.#names.losePower(this.#prng)
  }

  /** Bytes in all files, preallocated zeros included. */
  usedBytes(): number {
    let sum = 0
    for (const path of this.#names.paths()) sum += this.#nodeLength(path)
    return sum
  }

  /** Paths of all files, sorted. */
  files(): string[] {
    return this.#names.paths().filter((path) => this.#names.get(path) !== 'directory')
  }

  contents(path: string): Uint8Array {
    return this.#file(path).contents()
  }

  /** Damage at rest. `bit` is 0 to 7. */
  flipBit(path: string, position: number, bit: number): void {
    this.#file(path).flipBit(position, bit)
  }

  /** Flips one bit somewhere in the file and returns its position. */
  flipAnyBit(path: string): number {
    const file = this.#file(path)
    const position = this.#prng.below(file.byteLength)
    file.flipBit(position, this.#prng.below(8))
    return position
  }

  /** Replaces a file behind the engine's back, durable at once. */
  plant(path: string, contents: Uint8Array): void {
    const file = new SimFile()
    file.write(0, contents, this.#prng)
    file.sync()
    this.#names.set(path, file)
    this.#names.sync(parentOf(path))
  }

  /** A raw copy of the whole tree, as `cp -a` would make it, on a disk of its own. */
  copy(prng: Prng): SimDisk {
    const copy = new SimDisk(prng)
    copy.#names = this.#names.copy()
    return copy
  }

  // The operating system.

  open(path: string, mode: 'create' | 'write' | 'read'): DiskFile {
    checkPath(path)
    if (mode === 'create') {
      this.#operation(`create ${path}`, path, () => {
        if (this.#names.get(path) !== undefined) throw new DiskError('EXISTS', path, 'it exists')
        this.#checkParent(path)
        this.#names.set(path, new SimFile())
      })
    }
    this.#checkAlive(this.#incarnation)
    return this.#handle(path, this.#file(path), mode !== 'read')
  }

  exists(path: string): boolean {
    this.#checkAlive(this.#incarnation)
    return this.#names.get(path) !== undefined
  }

  list(directory: string): string[] {
    this.#checkAlive(this.#incarnation)
    if (this.#names.get(directory) !== 'directory') {
      throw new DiskError('NOT_FOUND', directory, 'no such directory')
    }
    const paths = this.#names.paths().filter((path) => parentOf(path) === directory)
    return paths.map((path) => path.slice(path.lastIndexOf('/') + 1))
  }

  makeDirectory(path: string): void {
    checkPath(path)
    this.#operation(`makeDirectory ${path}`, path, () => {
      if (this.#names.get(path) !== undefined) throw new DiskError('EXISTS', path, 'it exists')
      this.#checkParent(path)
      this.#names.set(path, 'directory')
    })
  }

  rename(from: string, to: string): void {
    checkPath(to)
    this.#operation(`rename ${from} ${to}`, from, () => {
      const file = this.#file(from)
      this.#checkParent(to)
      if (this.#names.get(to) === 'directory') throw new DiskError('NOT_A_FILE', to, 'a directory')
      this.#names.rename(from, to, file)
    })
  }

  remove(path: string): void {
    this.#operation(`remove ${path}`, path, () => {
      this.#file(path)
      this.#names.remove(path)
    })
  }

  syncDirectory(path: string): void {
    this.#operation(`syncDirectory ${path}`, path, () => {
      this.counts.directorySyncs++
      if (this.#names.get(path) !== 'directory') {
        throw new DiskError('NOT_FOUND', path, 'no such directory')
      }
      this.#names.sync(path)
    })
  }

  #handle(path: string, file: SimFile, writable: boolean): DiskFile {
    const incarnation = this.#incarnation
    let open = true
    const check = (writes: boolean): void => {
      this.#checkAlive(incarnation)
      assert(open, `${path} is closed`)
      if (writes && !writable) throw new DiskError('DENIED', path, 'opened for reading')
    }
    return {
      path,
      byteLength: () => {
        check(false)
        return file.byteLength
      },
      read: (position, into) => {
        check(false)
        return this.#read(file, position, into)
      },
      write: (position, chunks) => {
        check(true)
        this.#write(path, file, position, chunks)
      },
      sync: () => {
        check(true)
        this.#sync(path, file)
      },
      truncate: (byteLength) => {
        check(true)
        this.#operation(`truncate ${path}`, path, () => file.truncate(byteLength, this.#prng))
      },
      close: () => {
        check(false)
        open = false
      },
    }
  }

  #read(file: SimFile, position: number, into: Uint8Array): number {
    this.counts.reads++
    const short = into.length > 0 && this.shortReads > 0 && this.#prng.chance(this.shortReads)
    const wanted = short ? into.subarray(0, this.#prng.below(into.length)) : into
    const read = file.read(position, wanted)
    this.counts.readBytes += read
    return read
  }

  #write(path: string, file: SimFile, position: number, chunks: readonly Uint8Array[]): void {
    this.#operation(`write ${path}`, path, () => {
      this.counts.writes++
      const byteLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      const growth = Math.max(0, position + byteLength - file.byteLength)
      if (growth > 0 && this.usedBytes() + growth > this.bytesMax) {
        // As the kernel does: the file may have grown by some of it before the disk was full.
        const room = Math.max(0, this.bytesMax - this.usedBytes())
        const from = file.byteLength
        if (room > 0) file.truncate(from + this.#prng.below(room + 1), this.#prng)
        throw new DiskError('FULL', path, 'no space left')
      }
      let at = position
      for (const chunk of chunks) {
        file.write(at, chunk, this.#prng)
        at += chunk.length
      }
      this.counts.writtenBytes += byteLength
    })
  }

  #sync(path: string, file: SimFile): void {
    this.counts.syncs++
    const fault = this.#faults.get(this.counts.operations)
    const fails = fault !== undefined && !fault.startsWith('crash')
    if (fails) file.failSync(this.#prng)
    this.#operation(`sync ${path}`, path, () => file.sync())
  }

  /** Counts the operation, and lets fate decide whether `effect` happens. */
  #operation(what: string, path: string, effect: () => void): void {
    this.#checkAlive(this.#incarnation)
    const number = this.counts.operations++
    const fault = this.#faults.get(number)
    if (fault === undefined) {
      effect()
      return
    }
    this.lastFault = `${number} ${what}`
    if (fault === 'crash-after') effect()
    if (fault === 'crash-after' || fault === 'crash-before') {
      this.#dead = true
      throw new SimCrash(`${fault} ${this.lastFault}`)
    }
    throw new DiskError(fault, path, `planned fault at ${this.lastFault}`)
  }

  #checkAlive(incarnation: number): void {
    if (this.#dead || incarnation !== this.#incarnation) throw new SimCrash('this process is gone')
  }

  #checkParent(path: string): void {
    if (this.#names.get(parentOf(path)) !== 'directory') {
      throw new DiskError('NOT_FOUND', path, 'its directory does not exist')
    }
  }

  #file(path: string): SimFile {
    const node = this.#names.get(path)
    if (node === undefined) throw new DiskError('NOT_FOUND', path, 'no such file')
    if (node === 'directory') throw new DiskError('NOT_A_FILE', path, 'a directory')
    return node
  }

  #nodeLength(path: string): number {
    const node = this.#names.get(path)
    return node === undefined || node === 'directory' ? 0 : node.byteLength
  }
}

function checkPath(path: string): void {
  const parts = path.split('/')
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..')
  assert(plain, `${path} is not a plain relative path`)
}
