/**
 * What an application sees of one capsule: append, read, follow, prove.
 *
 * Everything that a method returns from a store was verified first, up to the writer's signature
 * (I1), and no handle ever shows an older state than it has shown before (I2). The types are
 * here; the class behind them is `capsule-handle.ts`.
 *
 * Rules HM20-HM39 of docs/spec/home.md.
 *
 * @module
 */
import type {
  BranchId,
  CapsuleName,
  CborValue,
  Hash,
  Head,
  Header,
  Manifest,
  Pointer,
  RoleKey,
} from '@longshore/capsule'
import type { MirrorReceipt } from '@longshore/engine'

/**
 * When an append is acknowledged.
 *
 * `buffered`: it is in this process's memory, unsigned; a crash loses it. `stored`: it is synced
 * to the disk of this home and covered by the writer's signature; a power loss does not lose it.
 * `replicated:K`: and K mirrors that count (F17) have stated that they hold it durably.
 */
export type Level = 'buffered' | 'stored' | `replicated:${number}`

export interface AppendOptions {
  /** Default `stored`. */
  readonly level?: Level
  /**
   * The writer's claim of when it happened, microseconds since 1970-01-01T00:00:00Z, up to
   * 2^53 - 1. Not checked against anything; may go backwards. Default: the clock of the process
   * that holds the home.
   */
  readonly timeUs?: number
  /** 0 plain, 1 blinded (a secret salt is hashed in). Default: 1 in a blind capsule, else 0. */
  readonly kind?: 0 | 1
  /**
   * How long to wait for mirrors, for a level that needs them. Default 30 seconds. Then the entries
   * are stored all the same, and delivered later.
   */
  readonly timeoutMs?: number
  /** References to earlier entries, of this capsule or others. At most 64. */
  readonly pointers?: readonly Pointer[]
  /** Application data in the header, never erasable. Keys contain a `/`: `example.com/lang`. */
  readonly ext?: Readonly<Record<string, CborValue>>
  /**
   * Gives up waiting: the promise rejects with `ABORTED`. The append itself may still be
   * committed; only reading afterwards tells.
   */
  readonly signal?: AbortSignal
}

/** Every entry below `size` has reached `level`. */
export interface Ack {
  /** Of the first entry of this call. */
  readonly index: number
  /** Entries that this call (in a stream: this commit) added. */
  readonly count: number
  readonly size: number
  readonly level: Level
  /** For a level that needs mirrors: what each has stated. Verified. */
  readonly receipts?: readonly MirrorReceipt[]
}

/** One entry, verified: header against the signed tree, payload against the header. */
export interface Entry {
  readonly index: number
  /** The writer's claim, microseconds since 1970. */
  readonly timeUs: number
  /** 0 plain, 1 blinded, 2 encrypted. */
  readonly kind: 0 | 1 | 2
  /** `absent`: the payload is not in this home. `erased`: it was erased on purpose, for ever. */
  readonly state: 'present' | 'absent' | 'erased'
  /** Undefined unless `present`. */
  readonly payload: Uint8Array | undefined
  /** Length that the payload has or had, without a salt. */
  readonly payloadBytes: number
  readonly payloadHash: Hash
  readonly header: Header
  /**
   * The payload as UTF-8 text; invalid bytes become U+FFFD.
   *
   * @throws {UnavailableError} `PAYLOAD_ABSENT` or `PAYLOAD_ERASED`
   */
  text(): string
}

/** Which entries. Without any, all. `from`, `last` and `sinceUs` exclude each other. */
export interface ReadOptions {
  /** First index. Default 0. */
  readonly from?: number
  /** Index after the last one. Default: the committed size when reading starts. */
  readonly to?: number
  /** The last so many entries. */
  readonly last?: number
  /**
   * From the first entry before which no header's time reaches this one. Times may go backwards
   * (they are claims), so earlier times can follow.
   */
  readonly sinceUs?: number
  /** Ends the iteration with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** What was verified. Whatever is wrong throws, so a report means that all of this is sound. */
export interface VerifyReport {
  readonly kind: 'capsule' | 'directory'
  readonly name: CapsuleName
  readonly text: string
  readonly owner: RoleKey
  readonly size: number
  readonly root: Hash
  /** What was checked: `manifest`, `checkpoint`, `tree`, `headers`, `payloads`, `erasures`. */
  readonly checks: readonly string[]
  /** Entries whose payload is here and fits its header. */
  readonly present: number
  /** Entries whose payload is not here although no erase entry names it. */
  readonly absent: number
  /** Entries whose payload is gone and an erase entry of the capsule says so. */
  readonly erased: number
}

export interface ExportReport {
  readonly directory: string
  readonly size: number
  /** Files and bytes written by this call; what an earlier export had written is not counted. */
  readonly fileCount: number
  readonly byteCount: number
}

export interface Capsule extends AsyncDisposable {
  readonly name: CapsuleName
  /** The name as text: a CID of 59 characters. */
  readonly text: string
  readonly manifest: Manifest
  /** The manifest as its owner signed it (COSE_Sign1). */
  readonly signedManifest: Uint8Array
  readonly branch: BranchId
  /** Committed entries, as this process sees them now. */
  readonly size: number
  /** The writer's newest committed statement, verified; undefined while the capsule is empty. */
  readonly head: Head | undefined
  /** This home has the writer's key. (Whether it may be used is only known when it is tried.) */
  readonly writable: boolean

  /**
   * Appends one entry of at most 1 MiB; text is stored as UTF-8. The bytes must not change before
   * the promise settles.
   *
   * Appends made without waiting for each other share one sync and one signature.
   *
   * @throws {UsageError} `PAYLOAD_TOO_LARGE`, `NOT_A_WRITER`, `TIME_INVALID`
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`, `STORE_FULL` (nothing was appended; try
   * again), `LEVEL_IMPOSSIBLE` (nothing was appended), `NO_MIRROR` (appended and `stored`, with
   * `index`, `count` and `size` in the details; mirrors get it later), `STORE_FAILED`,
   * `HOLDER_LOST` (the process that was writing died: look what arrived), `ANCHOR_UNWRITABLE`,
   * `KEY_UNREADABLE`, `ABORTED`, `CLOSED`
   */
  append(payload: Uint8Array | string, options?: AppendOptions): Promise<Ack>

  /**
   * Appends all of them, in order, with the same options. Acknowledged when the last one has
   * reached the level; up to 4 MiB are committed together, or not at all.
   */
  appendMany(payloads: readonly (Uint8Array | string)[], options?: AppendOptions): Promise<Ack>

  /**
   * Appends what the source yields and acknowledges every commit while the source stays open.
   * Takes from the source only as fast as the disk accepts. Stop iterating to stop appending.
   */
  appendStream(
    source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
    options?: AppendOptions,
  ): AsyncIterable<Ack>

  /** @throws {UsageError} `INDEX_OUT_OF_RANGE` */
  get(index: number): Promise<Entry>

  /** The entries of a range, in order, verified. */
  read(options?: ReadOptions): AsyncIterable<Entry>

  /**
   * Like `read`, then waits for more, also of other processes: for ever, or up to `to`, or until
   * the signal.
   */
  follow(options?: ReadOptions): AsyncIterable<Entry>

  /**
   * A file that proves this entry to a stranger, offline (C2SP tlog-proof). The payload travels
   * inside if its body is at most 64 KiB.
   */
  receipt(index: number): Promise<string>

  /**
   * The committed head as a C2SP checkpoint.
   *
   * @throws {UnavailableError} `NOT_FOUND` while the capsule is empty: size 0 is never signed.
   */
  checkpoint(): string

  /** The checkpoint, cosigned by its writer with the present time: proof of freshness. */
  heartbeat(): Promise<string>

  /**
   * Appends an erase entry: readers no longer get these payloads, for ever; `compact` removes the
   * bytes. Headers, times, labels and application data stay, and so do all proofs.
   *
   * @throws {UsageError} `NOT_ERASABLE`
   */
  erase(
    ranges: readonly (number | { readonly start: number; readonly end: number })[],
    reason?: string,
  ): Promise<Ack>

  /**
   * The way out of `WRITER_STATE_UNKNOWN` when no newer copy of this home exists: the operator
   * states that no other copy was ever used, and the capsule records it in an entry. If the
   * statement is false, the next append convicts this writer of equivocation.
   */
  recover(options: { readonly assumeOnlyCopy: true; readonly reason: string }): Promise<Ack>

  /** Reads everything and checks it: manifest, signature, tree, headers, payloads, erasures. */
  verify(options?: { readonly signal?: AbortSignal }): Promise<VerifyReport>

  /**
   * Writes the capsule as static files (C2SP tlog-tiles and docs/spec/export.md) into a new or
   * empty directory, or brings an older export of it up to date.
   */
  exportTiles(directory: string, options?: { readonly signal?: AbortSignal }): Promise<ExportReport>

  /** Lets go of the handle; appends under way are finished. The home stays open. */
  close(): Promise<void>
}
