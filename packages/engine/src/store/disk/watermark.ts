/**
 * The watermark file: how far the journal is known to be durable.
 *
 *     "LSWMARK1" | segment (4) | offset (4) | sequence (8) | chain (4) | 0 (4)
 *     segment id, first 8 | boot id digest (16) | 0 (4) | CRC32C (4)
 *
 * Written in place after each sync and never synced itself. Whatever version of it survives, the
 * position in it is durable. One written since the operating system started is the newest; see
 * `isCurrent`. Rule JR7 of docs/spec/journal.md.
 *
 * @module
 */
import { bytesEqual, encodeUtf8, sha256 } from '@longshore/capsule'
import { type Disk, DiskError, type DiskFile } from '../../runtime/disk.ts'
import { isZero, readUint32, readUint64, writeUint32, writeUint64 } from './big-endian.ts'
import { crc32c } from './crc32c.ts'

export const WATERMARK_PATH = 'watermark'
/** Where it lies once something may have been removed; at its old path is a directory then. */
export const GUARDED_WATERMARK_PATH = 'watermark2'
/** What an interrupted move leaves. */
const TEMPORARY_PATH: string = `${GUARDED_WATERMARK_PATH}.tmp`
const WATERMARK_BYTES = 64

const MAGIC: Uint8Array = encodeUtf8('LSWMARK1')
const ID_AT = 32
const BOOT_AT = 40
const BOOT_BYTES = 16
const CRC_AT = 60
/** A reader may look while the writer writes: it looks again. */
const READ_ATTEMPTS_MAX = 8

/** Behind a commit record. */
export interface JournalPosition {
  readonly segment: number
  readonly offset: number
  /** Sequence of the commit record. */
  readonly sequence: number
  readonly chain: number
}

export interface Watermark extends JournalPosition {
  /** First 8 bytes. */
  readonly segmentId: Uint8Array
  /** Written since the operating system started. */
  readonly isCurrent: boolean
}

export function samePosition(a: JournalPosition, b: JournalPosition): boolean {
  const samePlace = a.segment === b.segment && a.offset === b.offset
  return samePlace && a.sequence === b.sequence && a.chain === b.chain
}

export class WatermarkFile {
  readonly #disk: Disk
  readonly #boot: Uint8Array
  readonly #bytes: Uint8Array = new Uint8Array(WATERMARK_BYTES)
  #file: DiskFile | undefined
  #isGuarded = false

  constructor(disk: Disk, bootId: string) {
    this.#disk = disk
    this.#boot = sha256(encodeUtf8(bootId)).subarray(0, BOOT_BYTES)
  }

  /** Undefined if there is none, or none that is whole. */
  read(): Watermark | undefined {
    try {
      // Its writer may have moved it meanwhile.
      if (this.#file?.path === WATERMARK_PATH && this.#path !== WATERMARK_PATH) this.close()
      this.#file ??= this.#disk.open(this.#path, 'read')
    } catch (error) {
      if (error instanceof DiskError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
    const bytes = new Uint8Array(WATERMARK_BYTES)
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      if (this.#file.read(0, bytes) !== WATERMARK_BYTES) continue
      const watermark = decodeWatermark(bytes, this.#boot)
      if (watermark !== undefined) return watermark
    }
    return undefined
  }

  /** Opens the file for writing, and creates it where there is none. */
  openForWriting(): void {
    this.close()
    if (this.#disk.exists(TEMPORARY_PATH)) this.#disk.remove(TEMPORARY_PATH)
    const path = this.#path
    this.#file = this.#disk.open(path, this.#disk.exists(path) ? 'write' : 'create')
  }

  /**
   * From now on a program that does not know removals cannot open this store: it finds a directory
   * where it expects the watermark. Durable when this returns.
   */
  guard(): void {
    if (this.#isGuarded) return
    if (!this.#disk.exists(GUARDED_WATERMARK_PATH)) this.#move()
    this.openForWriting()
    if (this.#isFile(WATERMARK_PATH)) this.#disk.remove(WATERMARK_PATH)
    if (!this.#disk.exists(WATERMARK_PATH)) this.#disk.makeDirectory(WATERMARK_PATH)
    this.#disk.syncDirectory('')
    this.#isGuarded = true
  }

  /** Whole before it has its name: nobody finds an empty one. Durable when this returns. */
  #move(): void {
    if (this.#disk.exists(TEMPORARY_PATH)) this.#disk.remove(TEMPORARY_PATH)
    const file = this.#disk.open(TEMPORARY_PATH, 'create')
    try {
      file.write(0, [this.#bytes])
      file.sync()
    } finally {
      file.close()
    }
    this.#disk.rename(TEMPORARY_PATH, GUARDED_WATERMARK_PATH)
    // A power cut must not keep what follows and lose this.
    this.#disk.syncDirectory('')
  }

  /** `position` must be durable. */
  write(position: JournalPosition, segmentId: Uint8Array): void {
    const bytes = this.#bytes
    bytes.fill(0)
    bytes.set(MAGIC, 0)
    writeUint32(bytes, 8, position.segment)
    writeUint32(bytes, 12, position.offset)
    writeUint64(bytes, 16, position.sequence)
    writeUint32(bytes, 24, position.chain)
    for (let i = 0; i < 8; i++) bytes[ID_AT + i] = segmentId[i] as number
    bytes.set(this.#boot, BOOT_AT)
    writeUint32(bytes, CRC_AT, crc32c(0, bytes, 0, CRC_AT))
    this.#file?.write(0, [bytes])
  }

  get #path(): string {
    return this.#disk.exists(GUARDED_WATERMARK_PATH) ? GUARDED_WATERMARK_PATH : WATERMARK_PATH
  }

  #isFile(path: string): boolean {
    try {
      this.#disk.open(path, 'read').close()
      return true
    } catch (error) {
      if (error instanceof DiskError && error.code !== 'IO') return false
      throw error
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }
}

function decodeWatermark(bytes: Uint8Array, boot: Uint8Array): Watermark | undefined {
  if (!bytesEqual(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined
  if (readUint32(bytes, CRC_AT) !== crc32c(0, bytes, 0, CRC_AT)) return undefined
  if (!isZero(bytes, 28, ID_AT) || !isZero(bytes, 56, CRC_AT)) return undefined
  const sequence = readUint64(bytes, 16)
  if (!Number.isSafeInteger(sequence)) return undefined
  return {
    segment: readUint32(bytes, 8),
    offset: readUint32(bytes, 12),
    sequence,
    chain: readUint32(bytes, 24),
    segmentId: bytes.slice(ID_AT, BOOT_AT),
    isCurrent: bytesEqual(bytes.subarray(BOOT_AT, BOOT_AT + BOOT_BYTES), boot),
  }
}
