/**
 * The first 64 bytes of a segment file, and the names of segment files.
 *
 *     "LSSEG" 0 0 1 | number (4) | generation (4) | id (16) | first sequence (8)
 *     end of the previous segment (8) | id of the previous segment, first 8 | 0 (4) | CRC32C (4)
 *
 * Rules JR1 and JR2 of docs/spec/journal.md.
 *
 * @module
 */
import { bytesEqual } from '@longshore/capsule'
import { isZero, readUint32, readUint64, writeUint32, writeUint64 } from './big-endian.ts'
import { crc32c } from './crc32c.ts'
import { RECORD_ID_BYTES } from './record.ts'

export const SEGMENT_HEADER_BYTES = 64
export const SEGMENT_ID_BYTES = 16
export const SEGMENTS_DIRECTORY = 'segments'

const MAGIC: Uint8Array = Uint8Array.of(0x4c, 0x53, 0x53, 0x45, 0x47, 0, 0, 1)
const CRC_AT = 60

export interface SegmentHeader {
  /** From 1, in the order of writing. */
  readonly number: number
  /** How often it was compacted. */
  readonly generation: number
  readonly id: Uint8Array
  /** Sequence of the first record. */
  readonly firstSequence: number
  /** Where the previous segment ended when this one began; 0 in the first. */
  readonly previousEnd: number
  /** First 8 bytes of the id of the previous segment's generation 0; zeros in the first. */
  readonly previousId: Uint8Array
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  bytes.set(MAGIC, 0)
  writeUint32(bytes, 8, header.number)
  writeUint32(bytes, 12, header.generation)
  bytes.set(header.id, 16)
  writeUint64(bytes, 32, header.firstSequence)
  writeUint64(bytes, 40, header.previousEnd)
  bytes.set(header.previousId.subarray(0, RECORD_ID_BYTES), 48)
  writeUint32(bytes, CRC_AT, crc32c(0, bytes, 0, CRC_AT))
  return bytes
}

/** Undefined if the header is damaged or belongs to another file. */
export function decodeSegmentHeader(
  bytes: Uint8Array,
  file: SegmentName,
): SegmentHeader | undefined {
  if (bytes.length !== SEGMENT_HEADER_BYTES) return undefined
  if (!bytesEqual(bytes.subarray(0, 8), MAGIC) || !isZero(bytes, 56, CRC_AT)) return undefined
  if (readUint32(bytes, CRC_AT) !== crc32c(0, bytes, 0, CRC_AT)) return undefined
  const header: SegmentHeader = {
    number: readUint32(bytes, 8),
    generation: readUint32(bytes, 12),
    id: bytes.slice(16, 32),
    firstSequence: readUint64(bytes, 32),
    previousEnd: readUint64(bytes, 40),
    previousId: bytes.slice(48, 56),
  }
  const safe =
    Number.isSafeInteger(header.firstSequence) && Number.isSafeInteger(header.previousEnd)
  const fits = header.number === file.number && header.generation === file.generation
  return safe && fits ? header : undefined
}

/** The chain that the first group of a segment continues. */
export function firstChain(header: SegmentHeader): number {
  return readUint32(encodeSegmentHeader(header), CRC_AT)
}

export interface SegmentName {
  readonly number: number
  readonly generation: number
}

const NAME: RegExp = /^([0-9]{8,10})\.(0|[1-9][0-9]{0,8})\.seg$/
const NUMBER_MAX = 0xffff_ffff

/** `segments/00000001.0.seg` */
export function segmentPath({ number, generation }: SegmentName): string {
  return `${SEGMENTS_DIRECTORY}/${String(number).padStart(8, '0')}.${generation}.seg`
}

/** The segment of a file name (not path); undefined for every other spelling. */
export function parseSegmentName(fileName: string): SegmentName | undefined {
  const match = NAME.exec(fileName)
  if (match === null) return undefined
  const name = { number: Number(match[1]), generation: Number(match[2]) }
  if (name.number < 1 || name.number > NUMBER_MAX) return undefined
  return segmentPath(name) === `${SEGMENTS_DIRECTORY}/${fileName}` ? name : undefined
}

/** A file that is being made: it gets its real name when it is durable. */
export function temporaryPath(name: SegmentName): string {
  return `${segmentPath(name)}.tmp`
}
