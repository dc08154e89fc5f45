/**
 * The segment files of a store: which there are, their headers, and open handles.
 *
 * Rules JR1, JR2, JR13 and JR18 of docs/spec/journal.md.
 *
 * @module
 */
import { assert, bytesEqual } from '@longshore/capsule'
import { type Disk, DiskError, type DiskFile } from '../../runtime/disk.ts'
import { runSlices, type Slices } from '../slices.ts'
import { RECORD_ID_BYTES } from './record.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  SEGMENTS_DIRECTORY,
  type SegmentHeader,
  type SegmentName,
  segmentPath,
  temporaryPath,
} from './segment-header.ts'
import { readFully, SegmentWindow } from './segment-window.ts'

/** What is known about one segment file. */
export interface Segment extends SegmentName {
  /** First 8 bytes of its id. Undefined if the header and every record are damaged. */
  readonly recordId: Uint8Array | undefined
  /** Undefined if it is damaged. */
  readonly header: SegmentHeader | undefined
  readonly byteLength: number
}

export class SegmentFiles {
  readonly disk: Disk
  readonly #filesMax: number
  /** By path; the one used last is at the end. */
  readonly #open = new Map<string, DiskFile>()
  /** The highest-numbered segment's handle for writing stays open. */
  #active: DiskFile | undefined

  constructor(disk: Disk, filesMax: number) {
    this.disk = disk
    this.#filesMax = filesMax
  }

  /** All segment files, by number, then generation. */
  list(): SegmentName[] {
    if (!this.disk.exists(SEGMENTS_DIRECTORY)) return []
    const names: SegmentName[] = []
    for (const fileName of this.disk.list(SEGMENTS_DIRECTORY)) {
      const name = parseSegmentName(fileName)
      if (name !== undefined) names.push(name)
    }
    return names.sort((a, b) => a.number - b.number || a.generation - b.generation)
  }

  /** Removes what interrupted creations left. */
  removeTemporary(): void {
    let removed = false
    for (const fileName of this.disk.list(SEGMENTS_DIRECTORY)) {
      if (!fileName.endsWith('.tmp')) continue
      this.disk.remove(`${SEGMENTS_DIRECTORY}/${fileName}`)
      removed = true
    }
    if (removed) this.disk.syncDirectory(SEGMENTS_DIRECTORY)
  }

  /** For reading. Throws a `DiskError` `NOT_FOUND` if the file is gone. */
  file(name: SegmentName): DiskFile {
    const path = segmentPath(name)
    if (this.#active?.path === path) return this.#active
    let file = this.#open.get(path)
    if (file === undefined) {
      file = this.disk.open(path, 'read')
      this.#shrink(this.#filesMax - 1)
    } else {
      this.#open.delete(path)
    }
    this.#open.set(path, file)
    return file
  }

  /** For reading and writing. Only one file is written at a time. */
  openActive(name: SegmentName): DiskFile {
    this.#active?.close()
    this.#active = undefined
    this.#forget(segmentPath(name))
    this.#active = this.disk.open(segmentPath(name), 'write')
    return this.#active
  }

  /**
   * Reads the header of a segment. If it is damaged, a record or `linkedId`, the link in the next
   * segment, tells the id.
   */
  inspect(name: SegmentName, linkedId?: Uint8Array): Segment {
    const file = this.file(name)
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
    const whole = readFully(file, 0, bytes) === SEGMENT_HEADER_BYTES
    const header = whole ? decodeSegmentHeader(bytes, name) : undefined
    const fromHeader = header?.id.subarray(0, RECORD_ID_BYTES)
    const fromLink = name.generation === 0 ? linkedId : undefined
    const recordId = fromHeader ?? fromLink ?? findRecordId(file)
    return { ...name, header, recordId, byteLength: file.byteLength() }
  }

  /**
   * Makes a segment file with this header and content: written and durable before it has its
   * name, and the name durable before this returns. `write` gets the open file.
   */
  create(header: SegmentHeader, write: (file: DiskFile) => void): void {
    const writeAtOnce = (file: DiskFile): [] => {
      write(file)
      return []
    }
    runSlices(this.createInSlices(header, writeAtOnce))
  }

  /** The same, with content that is written in slices. */
  *createInSlices(
    header: SegmentHeader,
    write: (file: DiskFile) => Iterable<undefined>,
  ): Slices<void> {
    const path = temporaryPath(header)
    if (this.disk.exists(path)) this.disk.remove(path)
    const file = this.disk.open(path, 'create')
    let isGivenUp = true
    try {
      file.write(0, [encodeSegmentHeader(header)])
      yield* write(file)
      file.sync()
      isGivenUp = false
    } catch (error) {
      isGivenUp = false
      this.#discard(path, file, error)
    } finally {
      if (isGivenUp) file.close()
    }
    file.close()
    assert(!this.disk.exists(segmentPath(header)), 'a segment is made once')
    this.disk.rename(path, segmentPath(header))
    this.#syncNames()
  }

  remove(name: SegmentName): void {
    this.#forget(segmentPath(name))
    this.disk.remove(segmentPath(name))
  }

  close(): void {
    this.#shrink(0)
    this.#active?.close()
    this.#active = undefined
  }

  /** From here on the name may last or not, so that no error means that nothing has changed. */
  #syncNames(): void {
    try {
      this.disk.syncDirectory(SEGMENTS_DIRECTORY)
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause
      throw new DiskError('IO', SEGMENTS_DIRECTORY, cause.message, { cause })
    }
  }

  #forget(path: string): void {
    this.#open.get(path)?.close()
    this.#open.delete(path)
  }

  #shrink(count: number): void {
    for (const [path, file] of this.#open) {
      if (this.#open.size <= count) return
      file.close()
      this.#open.delete(path)
    }
  }

  /** Frees the space of a file that could not be finished, and throws the reason. */
  #discard(path: string, file: DiskFile, reason: unknown): never {
    if (reason instanceof DiskError) {
      file.close()
      this.disk.remove(path)
    }
    throw reason
  }
}

/** Looks for any record whose checksum fits, whatever its id. */
function findRecordId(file: DiskFile): Uint8Array | undefined {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + 16)
  if (readFully(file, 0, bytes) < bytes.length) return undefined
  // The first record repeats the id. If it is damaged too, the file tells nothing.
  const recordId = bytes.slice(SEGMENT_HEADER_BYTES + 8, SEGMENT_HEADER_BYTES + 16)
  const window = new SegmentWindow(file, recordId)
  const record = window.findRecord(SEGMENT_HEADER_BYTES, file.byteLength(), 0)
  return record === undefined ? undefined : recordId
}

/** The id in a record header, and in the link of the next segment. */
export function sameRecordId(a: Uint8Array, b: Uint8Array): boolean {
  return bytesEqual(a.subarray(0, RECORD_ID_BYTES), b.subarray(0, RECORD_ID_BYTES))
}
