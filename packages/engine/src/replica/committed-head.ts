/**
 * Which head of a branch counts.
 *
 * Almost always the one in the store. While a large import is under way its entries arrive in
 * several transactions, of which only the last has a head that the writer signed. Until then a
 * note holds the head from before, and that one counts: nobody sees half an import, also not
 * after a crash in its middle. Rule EX15 of docs/spec/export.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  type CborValue,
  decodeCbor,
  decodeHead,
  encodeCbor,
  encodeHead,
  formatBranch,
  formatName,
  type Head,
  UnavailableError,
} from '@longshore/capsule'
import type { StoreOp, StoreReader } from '../store/store.ts'

/** An import that has begun and not ended. */
export interface PendingImport {
  /** What counts meanwhile. */
  readonly before: Head | undefined
  /** What will count: verified before the first entry was stored. */
  readonly target: Head
}

/**
 * The head that readers and the writer of this home go by. Not verified here. `noteKey` spares
 * whoever asks often the making of it.
 */
export function committedHead(
  reader: StoreReader,
  name: CapsuleName,
  branch: BranchId,
  noteKey: string = importNoteKey(name, branch),
): Head | undefined {
  const pending = readPending(reader, noteKey)
  return pending === undefined ? reader.state(name, branch)?.head : pending.before
}

export function pendingImport(
  reader: StoreReader,
  name: CapsuleName,
  branch: BranchId,
): PendingImport | undefined {
  return readPending(reader, importNoteKey(name, branch))
}

function readPending(reader: StoreReader, noteKey: string): PendingImport | undefined {
  const note = reader.note(noteKey)
  if (note === undefined || note.byteLength === 0) return undefined
  const value = decodeCbor(note)
  const [before, target] = Array.isArray(value) ? (value as CborValue[]) : []
  if (!(target instanceof Uint8Array)) {
    throw new UnavailableError('STORE_CORRUPT', 'the note of an import under way is damaged')
  }
  return {
    before: before instanceof Uint8Array ? decodeHead(before) : undefined,
    target: decodeHead(target),
  }
}

/** Begins (or, with undefined, ends) an import as part of a transaction. */
export function pendingImportOp(
  name: CapsuleName,
  branch: BranchId,
  pending: PendingImport | undefined,
): StoreOp {
  const key = importNoteKey(name, branch)
  if (pending === undefined) return { type: 'note', key, value: new Uint8Array(0) }
  const before = pending.before === undefined ? null : encodeHead(pending.before)
  return { type: 'note', key, value: encodeCbor([before, encodeHead(pending.target)]) }
}

/** Where the note of an import under way is kept. */
export function importNoteKey(name: CapsuleName, branch: BranchId): string {
  return `import/${formatName(name)}/${formatBranch(branch)}`
}
