/**
 * What changes a home: one interface for the process that holds it and for one that forwards.
 *
 * @module
 */
import type { BranchId, CapsuleName } from '@longshore/capsule'
import type { IndexRange } from '@longshore/engine'
import type { AppendTerms } from './append-request.ts'
import type { Ack } from './capsule.ts'
import type {
  BackupReport,
  CompactReport,
  CreateOptions,
  FsckReport,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
} from './home.ts'

/** One branch of one capsule. */
export interface BranchAddress {
  readonly name: CapsuleName
  readonly branch: BranchId
}

/** Every call may fail with `STORE_FAILED`, `CLOSED`, or, when forwarded, `HOLDER_LOST`. */
export interface HomeWriter {
  /** Payloads and terms were checked; they must not change before the promise settles. */
  append(
    at: BranchAddress,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    signal?: AbortSignal,
  ): Promise<Ack>
  erase(at: BranchAddress, ranges: readonly IndexRange[], reason: string): Promise<Ack>
  recover(at: BranchAddress, reason: string): Promise<Ack>
  /**
   * Goes on after everybody was asked: with the record as an entry where this machine has no word
   * on what was signed last; not at all if it has signed what is not here.
   */
  resume(at: BranchAddress, record: string): Promise<void>
  heartbeat(at: BranchAddress): Promise<string>
  create(options: CreateOptions): Promise<CapsuleName>
  createIdentity(options: IdentityOptions): Promise<IdentityInfo>
  importTiles(directory: string, signal?: AbortSignal): Promise<ImportReport>
  /** Verifies and stores what a file of entries holds (taken-entries.ts). */
  takeIn(signedManifest: Uint8Array, file: string): Promise<void>
  /** Writes a capsule anew of which a part has rotted, with what a file of entries holds. */
  mend(signedManifest: Uint8Array, file: string): Promise<void>
  backup(file: string): Promise<BackupReport>
  compact(): Promise<CompactReport>
  fsck(repair: boolean): Promise<FsckReport>
  /** Keeps a small value of this home's dealings with others, or forgets it (empty). */
  remember(key: string, value: Uint8Array): Promise<void>
  /** Resolves when everything appended to the branch so far is committed or has failed. */
  settle(at: BranchAddress): Promise<void>
}
