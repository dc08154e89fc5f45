/**
 * What an application sees of a home: the directory that keeps capsules and keys of one user.
 *
 * Types only; `openHome` is in the platform room (`@longshore/client/node`).
 * Rules HM1-HM19 of docs/spec/home.md.
 *
 * @module
 */
import type {
  CapsuleName,
  Hash,
  LongshoreError,
  MemberRight,
  PrincipalType,
  VerificationError,
} from '@longshore/capsule'
import type { Capsule } from './capsule.ts'
import type { HomeNetwork, RemoteOptions } from './network/home-network.ts'

export interface IdentityInfo {
  /** Of the person's manifest. */
  readonly name: CapsuleName
  readonly text: string
  readonly label: string | undefined
  /** The capsule that will carry this owner's amendments and revocations. */
  readonly authority: CapsuleName
  readonly timeUs: number
  /** New capsules are made under it. */
  readonly isDefault: boolean
}

export interface CapsuleInfo {
  readonly name: CapsuleName
  readonly text: string
  /** Undefined if its manifest cannot be read: then only name, size and `problem` say something. */
  readonly type: PrincipalType | undefined
  readonly size: number
  readonly labels: Readonly<Record<string, string>>
  /** When the manifest was made, microseconds since 1970: its maker's claim. */
  readonly timeUs: number
  /** This home has the writer's key. */
  readonly writable: boolean
  /** Null for an authority capsule, which every identity has. */
  readonly authority: CapsuleName | null
  /** Why its manifest cannot be read; undefined if it can. */
  readonly problem: LongshoreError | undefined
}

export interface CreateOptions {
  /** At most 256 UTF-8 bytes each. Signed into the manifest: public, and for ever. */
  readonly labels?: Readonly<Record<string, string>>
  /** Payloads are blinded by default, so that the hash of an erased one cannot be guessed. */
  readonly blind?: boolean
  /** Anybody may read it. Default: its owner and writer only. */
  readonly public?: boolean
  /** Copies that the owner wants, 1 to 64. Default 1. */
  readonly copies?: number
  /** Domains whose mirrors may hold a copy. Default: any. */
  readonly hold?: readonly CapsuleName[]
  /** Domains that its traffic may pass. Default: any. */
  readonly carry?: readonly CapsuleName[]
  /** Domains that may neither hold nor carry it. Default: none. */
  readonly exclude?: readonly CapsuleName[]
  /** Domains whose members may read it. Not together with `public`. */
  readonly read?: readonly CapsuleName[]
  /** The person it belongs to. Default: the home's default identity, made if there is none. */
  readonly identity?: CapsuleName
  /**
   * The writer signs every commit with ML-DSA-44 as well as Ed25519, and readers demand both. The
   * identity must be a post-quantum one. Default false: a signature is 2.4 KiB longer.
   */
  readonly postQuantum?: boolean
}

export interface IdentityOptions {
  /** A domain admits nodes; it is never the default identity. Default `person`. */
  readonly type?: 'person' | 'domain'
  /** At most 256 UTF-8 bytes; public. */
  readonly label?: string | undefined
  /** The owner signs with ML-DSA-44 as well as Ed25519. Default false. */
  readonly postQuantum?: boolean
}

export interface AdmitOptions {
  /** A domain whose key is in this home. */
  readonly domain: CapsuleName
  /** Who becomes a member; a node, mostly. */
  readonly subject: CapsuleName
  /** Default: all but `read`. */
  readonly rights?: readonly MemberRight[]
  /** Last second in which it is one, since 1970. */
  readonly notAfterS: number
}

export interface ImportReport {
  readonly name: CapsuleName
  readonly text: string
  readonly size: number
  /** Entries and payloads that were not in this home before. */
  readonly entriesAdded: number
  readonly payloadsAdded: number
  /** Entries that had rotted here and are whole again. */
  readonly entriesMended: number
  /** Payloads that an erase entry of the capsule names. */
  readonly erased: number
}

export interface BackupReport {
  readonly file: string
  readonly fileBytes: number
  readonly fileCount: number
  /** Of everything before the trailer. */
  readonly sha256: Hash
}

export interface RestoreReport {
  readonly path: string
  readonly fileCount: number
  readonly capsuleCount: number
}

export interface CompactReport {
  /** Of the store on disk. */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** One thing that is wrong. */
export interface FsckProblem {
  readonly code: string
  readonly message: string
}

export interface FsckReport {
  readonly problems: readonly FsckProblem[]
  /** What `repair` put right. */
  readonly repaired: readonly string[]
  readonly capsuleCount: number
  readonly entryCount: number
}

/** Bytes on disk. */
export interface UsageReport {
  readonly journalBytes: number
  readonly indexBytes: number
  readonly capsuleCount: number
  readonly entryCount: number
}

export interface Home extends AsyncDisposable {
  /** Neighbors, mirrors, and capsules that are elsewhere. */
  readonly network: HomeNetwork
  /** Absolute. */
  readonly path: string
  /** `guest`: another process holds the home; reads are our own, writes are forwarded to it. */
  readonly role: 'holder' | 'guest' | 'reader'
  identities(): Promise<IdentityInfo[]>
  createIdentity(options?: IdentityOptions): Promise<IdentityInfo>
  /**
   * Admits a principal to a domain of this home, and returns the membership as one word for its
   * operator. It cannot be taken back before `notAfterS`.
   *
   * @throws {UsageError} `USAGE` if `domain` is none; `TIME_INVALID` for an end in the past;
   * `KEY_MISSING`
   * @throws {UnavailableError} `NOT_FOUND`, `KEY_UNREADABLE`
   */
  admit(options: AdmitOptions): Promise<string>
  /** A new capsule of an identity, with a writer key of its own. */
  create(options?: CreateOptions): Promise<Capsule>
  /**
   * A capsule of this home; if it is not here and the home has tickets, through the network.
   *
   * @throws {UsageError} `NAME_INVALID`
   * @throws {UnavailableError} `NOT_FOUND`, and what `network.open` throws
   */
  open(name: CapsuleName | string, options?: RemoteOptions): Promise<Capsule>
  /** Whether the capsule is in this home. @throws {UsageError} `NAME_INVALID` */
  has(name: CapsuleName | string): Promise<boolean>
  /** Those whose manifests cannot be read are at the end, each with its `problem`. */
  list(): Promise<CapsuleInfo[]>
  /**
   * What this home has found against the writer of a capsule: `EQUIVOCATION` with both sizes, the
   * evidence in base64 in `details.evidence`, and the file in which it is kept in `details.path`.
   */
  conviction(name: CapsuleName): VerificationError | undefined
  /**
   * Verifies an export completely, then stores what this home does not have.
   *
   * @throws {VerificationError} `EXPORT_INVALID` and others; `EQUIVOCATION` with the evidence in
   * `details.evidence` if it contradicts what this home has
   */
  importTiles(directory: string, options?: { readonly signal?: AbortSignal }): Promise<ImportReport>
  /** All capsules and keys in one file, consistent although writing goes on. Keep it secret. */
  backup(file: string): Promise<BackupReport>
  /** Gives the space of erased payloads back, and their bytes are gone. */
  compact(): Promise<CompactReport>
  fsck(options?: { readonly repair?: boolean }): Promise<FsckReport>
  usage(): Promise<UsageReport>
  /** Bytes that `compact` would give back. Reads the journal once, without a turn between. */
  reclaimableBytes(): Promise<number>
  /** Finishes what is under way, syncs, and releases the lock. */
  close(): Promise<void>
}

export interface OpenHomeOptions {
  /** Default `$LONGSHORE_HOME`, else `~/.longshore`. */
  readonly path?: string
  /** Default true: an absent home is made. False: `NOT_FOUND`. */
  readonly create?: boolean
  /** Never takes the lock and never writes. Default false. */
  readonly readOnly?: boolean
  /** Gives up waiting for another process that is just opening or closing the home. */
  readonly signal?: AbortSignal
}
