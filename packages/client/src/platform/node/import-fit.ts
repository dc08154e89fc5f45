/**
 * Does an export fit what this home has of the capsule?
 *
 * Both are verified histories under one writer key, so one must be the beginning of the other. If
 * neither is, the writer has signed two histories, and the two heads with a path between them are
 * evidence that convicts it (F22). Rules EX16-EX17 of docs/spec/export.md.
 *
 * @module
 */
import {
  bytesEqual,
  createEquivocation,
  formatBase64,
  formatName,
  type Head,
  MAIN_BRANCH,
  proveInconsistency,
  RightEdge,
  type TileSource,
  TreeNodes,
  UsageError,
  VerificationError,
} from '@longshore/capsule'
import { pendingImport, type StoreReader } from '@longshore/engine'
import type { VerifiedDirectory } from './verify-directory.ts'

/** Where an import begins. */
export interface ImportBase {
  /** Entries that are stored, with or without a head of the writer. */
  readonly size: number
  /** Of those entries. */
  readonly edge: RightEdge
  /** The head in force; undefined if there is none. */
  readonly head: Head | undefined
  /** An earlier import was interrupted. */
  readonly isPending: boolean
}

/**
 * @throws {VerificationError} `EQUIVOCATION`, with the evidence in base64 in `details.evidence`.
 * @throws {UsageError} `USAGE` if the import of a newer state was interrupted before.
 */
export function checkImportFits(store: StoreReader, verified: VerifiedDirectory): ImportBase {
  const { directory } = verified
  const { name } = directory.signed
  const local: TileSource = {
    tile: (level, n, width) => store.tile(name, MAIN_BRANCH, level, n, width),
  }
  const state = store.state(name, MAIN_BRANCH)
  const pending = pendingImport(store, name, MAIN_BRANCH)
  const size = state?.size ?? 0
  const head = pending === undefined ? state?.head : pending.before
  const edge = RightEdge.open(local, size)

  if (pending !== undefined) {
    if (size > directory.size) {
      const message = 'the import of a newer state was interrupted: run that one again first'
      throw new UsageError('USAGE', message, { size, exportSize: directory.size })
    }
    if (pending.target.size <= directory.size) {
      checkConsistent(verified, pending.target, directory)
    }
  }
  if (head !== undefined) {
    checkConsistent(verified, head, head.size > directory.size ? local : directory)
  }
  if (size > 0 && size <= directory.size) checkBeginning(edge, directory)
  return { size, edge, head, isPending: pending !== undefined }
}

/**
 * `known` and the directory's head must be of one history; `source` has the larger tree.
 *
 * @throws {VerificationError} `EQUIVOCATION`
 */
export function checkConsistent(
  verified: VerifiedDirectory,
  known: Head,
  source: TileSource,
): void {
  const { head, signed } = verified.directory
  const [small, large] = known.size <= head.size ? [known, head] : [head, known]
  const root =
    small.size === large.size
      ? large.root
      : new TreeNodes(source).rangeRoot(0, small.size, large.size)
  if (bytesEqual(root, small.root)) return
  const path = small.size === large.size ? [] : proveInconsistency(source, small.size, large.size)
  const evidence = createEquivocation(signed.signed, [small, large], path)
  throw new VerificationError('EQUIVOCATION', 'the writer of this capsule signed two histories', {
    name: formatName(signed.name),
    sizeHere: known.size,
    sizeThere: head.size,
    evidence: formatBase64(evidence),
  })
}

/** The stored entries, whatever their head, must be the first ones of the directory. */
function checkBeginning(edge: RightEdge, directory: VerifiedDirectory['directory']): void {
  const root = new TreeNodes(directory).rangeRoot(0, edge.size, directory.size)
  if (bytesEqual(root, edge.root())) return
  const message = 'the stored entries are not the beginning of this export'
  throw new VerificationError('ROOT_MISMATCH', message, { size: edge.size })
}
