/**
 * Answers of the holder as messages: plain objects of a known shape, checked field by field.
 *
 * @module
 */
import { type CapsuleName, type CborMap, type CborValue, formatName } from '@longshore/capsule'
import type { Ack } from '../capsule.ts'
import type {
  BackupReport,
  CompactReport,
  FsckReport,
  IdentityInfo,
  ImportReport,
} from '../home.ts'
import { decodeName } from './append-message.ts'
import { type Fields, invalid } from './fields.ts'

/** How one kind of answer becomes a message and an answer again. */
export interface ReportCodec<T> {
  encode(report: T): CborMap
  /** @throws {ProtocolError} `FRAME_INVALID` */
  decode(fields: Fields): T
}

function codec<T>(
  encode: (report: T) => Record<string, CborValue>,
  decode: (fields: Fields) => T,
): ReportCodec<T> {
  return {
    encode: (report) => new Map(Object.entries(encode(report))),
    decode: (fields) => {
      const report = decode(fields)
      fields.end()
      return report
    },
  }
}

export const ACK: ReportCodec<Ack> = codec(
  ({ index, count, size, level }) => ({ index, count, size, level }),
  (fields) => {
    const level = fields.text('level')
    if (level !== 'stored' && level !== 'buffered') throw invalid('the level is not known')
    const [index, count] = [fields.uint('index'), fields.uint('count')]
    return { index, count, size: fields.uint('size'), level }
  },
)

export const TEXT: ReportCodec<string> = codec(
  (text) => ({ text }),
  (fields) => fields.text('text'),
)

export const NAME: ReportCodec<CapsuleName> = codec(
  (name) => ({ name }),
  (fields) => decodeName(fields, 'name'),
)

export const NOTHING: ReportCodec<void> = codec(
  () => ({}),
  () => undefined,
)

export const IDENTITY: ReportCodec<IdentityInfo> = codec(
  ({ name, label, authority, timeUs, isDefault }) => ({
    name,
    label: label ?? null,
    authority,
    timeUs,
    isDefault,
  }),
  (fields) => {
    const name = decodeName(fields, 'name')
    return {
      name,
      text: formatName(name),
      label: fields.has('label') ? fields.text('label') : undefined,
      authority: decodeName(fields, 'authority'),
      timeUs: fields.uint('timeUs'),
      isDefault: fields.boolean('isDefault'),
    }
  },
)

export const BACKUP: ReportCodec<BackupReport> = codec(
  ({ file, fileBytes, fileCount, sha256 }) => ({ file, fileBytes, fileCount, sha256 }),
  (fields) => ({
    file: fields.text('file'),
    fileBytes: fields.uint('fileBytes'),
    fileCount: fields.uint('fileCount'),
    sha256: fields.hash('sha256'),
  }),
)

export const COMPACT: ReportCodec<CompactReport> = codec(
  ({ bytesBefore, bytesAfter }) => ({ bytesBefore, bytesAfter }),
  (fields) => ({
    bytesBefore: fields.uint('bytesBefore'),
    bytesAfter: fields.uint('bytesAfter'),
  }),
)

export const IMPORT: ReportCodec<ImportReport> = codec(
  ({ name, size, entriesAdded, payloadsAdded, entriesMended, erased }) => ({
    name,
    size,
    entriesAdded,
    payloadsAdded,
    entriesMended,
    erased,
  }),
  (fields) => {
    const name = decodeName(fields, 'name')
    return {
      name,
      text: formatName(name),
      size: fields.uint('size'),
      entriesAdded: fields.uint('entriesAdded'),
      payloadsAdded: fields.uint('payloadsAdded'),
      entriesMended: fields.uint('entriesMended'),
      erased: fields.uint('erased'),
    }
  },
)

export const FSCK: ReportCodec<FsckReport> = codec(
  ({ problems, repaired, capsuleCount, entryCount }) => ({
    problems: problems.map(({ code, message }) => [code, message.toWellFormed()]),
    repaired,
    capsuleCount,
    entryCount,
  }),
  (fields) => ({
    problems: fields.array('problems').map((problem) => {
      const [code, message] = Array.isArray(problem) ? (problem as CborValue[]) : []
      return { code: requireText(code), message: requireText(message) }
    }),
    repaired: fields.array('repaired').map(requireText),
    capsuleCount: fields.uint('capsuleCount'),
    entryCount: fields.uint('entryCount'),
  }),
)

function requireText(value: CborValue | undefined): string {
  if (typeof value === 'string') return value
  throw invalid('a text is missing')
}
