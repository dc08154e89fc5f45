/**
 * What the mirrors of one branch say its head is, and which head a reader may go by.
 *
 * Every head shown is verified: signed by the writer, and consistent with the largest one known
 * before, by a path that its mirror gives. `top` is the largest of them and never goes back, also
 * not behind what the reader remembers from earlier (F23). The head in force is the largest that
 * enough distinct mirrors have cosigned. Rules RR1-RR6 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  createEquivocation,
  type Head,
  isLongshoreError,
  type LongshoreError,
  manifestKey,
  openManifest,
  type RoleKey,
  type SignedManifest,
  VerificationError,
  verifyHeartbeat,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import type { BranchPlace } from './entries-source.ts'
import { judgeByPath } from './equivocation.ts'
import type { MessageOf, Statement } from './messages.ts'
import type { SessionId } from './mirror-contract.ts'
import { HeadVerifier } from './verify-entries.ts'

/** A mirror that a reader talks to. */
export interface ReaderPeer {
  /** Of the node. */
  readonly name: CapsuleName
  /** Of its manifest; what its cosignatures are verified with. */
  readonly mirrorKey: RoleKey
  /** Its manifest, to be handed on with its cosignature. */
  readonly signedManifest?: Uint8Array
}

export interface Source {
  readonly session: SessionId
  readonly peer: ReaderPeer
  /** The largest head that it has shown, verified and consistent with `top`. */
  head: Head | undefined
  /** Size that it has cosigned. */
  cosignedSize: number
  /** Its newest cosignature, and the head that it is over. */
  cosigned: { readonly head: Head; readonly statement: Statement } | undefined
  /** It has described the branch, or said that it cannot. */
  hasAnswered: boolean
  /** It has the branch, be it empty. */
  hasBranch: boolean
  /** Memberships that it has shown, encoded and not verified. */
  memberships: readonly Uint8Array[]
  /** Newest time at which it or the writer stated its head, seconds since 1970; 0 if never. */
  statedS: number
  /** Shown, signed, and not yet known to be of the one history. */
  claim: Claim | undefined
  /** How often it left a question without an answer: the others are asked first. */
  lateCount: number
}

interface Claim {
  readonly head: Head
  readonly cosignature: Statement | undefined
  readonly statedS: number
}

/** What became of a head that was shown. */
export type Shown =
  | { readonly type: 'known' }
  /** Older than what is remembered, and nobody here holds more. */
  | { readonly type: 'behind'; readonly error: LongshoreError }
  /** Ask `session` for the path between the two heads, then call `prove`. */
  | {
      readonly type: 'ask'
      readonly session: SessionId
      /** Whose claim it is about. */
      readonly subject: Source
      readonly smaller: Head
      readonly larger: Head
    }
  | { readonly type: 'evidence'; readonly bytes: Uint8Array }
  | { readonly type: 'distrusted'; readonly error: LongshoreError }

export type Question = Extract<Shown, { type: 'ask' }>

export class RemoteSources {
  readonly #place: BranchPlace
  readonly #sources = new Map<SessionId, Source>()
  #signed: SignedManifest | undefined
  #heads: HeadVerifier | undefined
  #top: Head | undefined
  /** The last head of which it is not known which mirror has sent it. */
  #published: Head | undefined

  constructor(place: BranchPlace, remembered: Head | undefined) {
    this.#place = place
    this.#top = remembered
  }

  /** Largest head that is known to be of the one history. */
  get top(): Head | undefined {
    return this.#top
  }

  get signed(): SignedManifest | undefined {
    return this.#signed
  }

  /** Verifies heads of the branch; undefined before the first manifest. */
  get heads(): HeadVerifier | undefined {
    return this.#heads
  }

  open(session: SessionId, peer: ReaderPeer): void {
    this.#sources.set(session, {
      session,
      peer,
      head: undefined,
      cosignedSize: 0,
      cosigned: undefined,
      hasAnswered: false,
      hasBranch: false,
      memberships: [],
      statedS: 0,
      claim: undefined,
      lateCount: 0,
    })
  }

  close(session: SessionId): void {
    this.#sources.delete(session)
  }

  get(session: SessionId): Source | undefined {
    return this.#sources.get(session)
  }

  get all(): Iterable<Source> {
    return this.#sources.values()
  }

  /**
   * A source has described the branch. `seenSize` is what it had shown when it was asked: what came
   * since then, in another stream of the session, may have overtaken this answer.
   */
  show(source: Source, opened: MessageOf<'opened'>, seenSize: number): Shown {
    try {
      return this.#show(source, opened, seenSize)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      return { type: 'distrusted', error }
    }
  }

  /** The path between the heads of an `ask` has come. */
  prove({ subject, smaller, larger }: Question, path: MessageOf<'path'>['hashes']): Shown {
    const signed = this.#signed as SignedManifest
    try {
      const verdict = judgeByPath(signed.signed, smaller, larger, path)
      if (verdict !== 'consistent') return { type: 'evidence', bytes: verdict.evidence }
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      return { type: 'distrusted', error }
    }
    // If another head was proven meanwhile this one says nothing yet: it is shown again.
    if (isSame(smaller, this.#top)) this.#top = larger
    else if (!isSame(larger, this.#top)) return { type: 'known' }
    const claimed = subject.claim?.head
    if (isSame(smaller, claimed) || isSame(larger, claimed)) accept(subject)
    return { type: 'known' }
  }

  /**
   * A source sent a signed head under which something does not continue what was read under
   * `read`. Of `known` if nothing can be made of that: then the source is at fault.
   */
  contest(source: Source, head: Head, read: Head): Shown {
    const shown = this.#judge(source, head, this.#top)
    if (shown !== undefined && shown.type !== 'behind') return shown
    return this.#judge(source, head, read) ?? shown ?? { type: 'known' }
  }

  /** A signed head that was proven to continue one in force; `source` sent it, if that is known. */
  advance(source: Source | undefined, head: Head): void {
    if (this.#top === undefined || head.size > this.#top.size) this.#top = head
    if (source === undefined) this.#published = head
    if (source !== undefined && head.size > (source.head?.size ?? 0)) source.head = head
  }

  /** The largest head that `mirrorsMin` distinct mirrors have cosigned; with 0, the largest. */
  inForce(mirrorsMin: number): Head | undefined {
    const heads = [...this.#sources.values()].flatMap(({ head }) => head ?? [])
    heads.sort((a, b) => b.size - a.size)
    return heads.find((head) => this.#countCosigners(head.size) >= mirrorsMin)
  }

  /** Newest time at which this head or a larger one was stated. */
  statedS(size: number): number {
    let newest = 0
    for (const { head, statedS } of this.#sources.values()) {
      if (head !== undefined && head.size >= size) newest = Math.max(newest, statedS)
    }
    return newest
  }

  /** Of the largest head that a source shows, signed, whether it is known to fit or not. */
  get shownSize(): number {
    let largest = 0
    for (const source of this.#sources.values()) largest = Math.max(largest, shownBy(source))
    return largest
  }

  /**
   * Whom to follow from `size` on: a source that shows more, or one that holds so many entries, or
   * one that may come to hold them.
   */
  following(size: number): Source | undefined {
    const holder = this.#best(size + 1, shownBy) ?? this.holding(Math.max(1, size))
    if (holder !== undefined) return holder
    return [...this.#sources.values()].find(({ hasBranch }) => hasBranch)
  }

  /** A source that holds at least `size` entries; of several the one that was late least often. */
  holding(size: number): Source | undefined {
    return this.#best(size, ({ head }) => head?.size ?? 0)
  }

  #best(size: number, sizeOf: (source: Source) => number): Source | undefined {
    let found: Source | undefined
    for (const source of this.#sources.values()) {
      if (sizeOf(source) < size) continue
      if (found === undefined || source.lateCount < found.lateCount) found = source
    }
    return found
  }

  #countCosigners(size: number): number {
    const names = new Set<string>()
    for (const { cosignedSize, peer } of this.#sources.values()) {
      if (cosignedSize >= size) names.add(nameKey(peer.name))
    }
    return names.size
  }

  #show(source: Source, opened: MessageOf<'opened'>, seenSize: number): Shown {
    const { name, branch } = this.#place
    this.#signed ??= openManifest(opened.manifest, name)
    const writerKey = manifestKey(this.#signed.manifest, 'writer')
    this.#heads ??= new HeadVerifier(name, branch, writerKey)
    const { head, cosignature, heartbeat } = opened
    if (head === null) return { type: 'known' }
    this.#heads.check(head)
    if (head.size < seenSize) {
      const details = { shown: head.size, seen: seenSize }
      throw new VerificationError('ROLLBACK', 'a mirror that goes back', details)
    }
    let statedS = 0
    if (cosignature !== null) {
      verifyHeartbeat(name, head, cosignature, source.peer.mirrorKey)
      statedS = cosignature.timeS
    }
    if (heartbeat !== null) {
      verifyHeartbeat(name, head, heartbeat, writerKey)
      statedS = Math.max(statedS, heartbeat.timeS)
    }
    source.claim = { head, cosignature: cosignature ?? undefined, statedS }
    return this.#fit(source, head)
  }

  #fit(source: Source, head: Head): Shown {
    const shown = this.#judge(source, head, this.#top)
    if (shown !== undefined) return shown
    this.#top ??= head
    accept(source)
    return { type: 'known' }
  }

  /** Undefined if it is the same as what is known, or the first of all. */
  #judge(source: Source, head: Head, known: Head | undefined): Shown | undefined {
    if (known === undefined) return undefined
    if (head.size > known.size) {
      const { session } = source
      return { type: 'ask', session, subject: source, smaller: known, larger: head }
    }
    if (head.size < known.size) return this.#fitSmaller(source, head, known)
    if (bytesEqual(head.root, known.root)) return undefined
    const manifest = (this.#signed as SignedManifest).signed
    return { type: 'evidence', bytes: createEquivocation(manifest, [head, known]) }
  }

  #fitSmaller(source: Source, head: Head, known: Head): Shown {
    const holder = this.holding(known.size)
    // The multicast tree was faster than this mirror.
    if (holder === undefined && known === this.#published) return { type: 'known' }
    if (holder === undefined) {
      const details = { shown: head.size, seen: known.size }
      const message = 'the mirror shows an older state than the one remembered'
      return { type: 'behind', error: new VerificationError('ROLLBACK', message, details) }
    }
    return { type: 'ask', session: holder.session, subject: source, smaller: head, larger: known }
  }
}

function shownBy({ head, claim }: Source): number {
  return Math.max(head?.size ?? 0, claim?.head.size ?? 0)
}

/** The claim is of the one history: the source is known to hold it. */
function accept(source: Source): void {
  const { claim } = source
  if (claim === undefined) return
  source.claim = undefined
  const { head, cosignature, statedS } = claim
  if (source.head === undefined || head.size >= source.head.size) source.head = head
  if (cosignature !== undefined && head.size >= source.cosignedSize) {
    source.cosignedSize = head.size
    source.cosigned = { head, statement: cosignature }
  }
  source.statedS = Math.max(source.statedS, statedS)
}

function isSame(a: Head, b: Head | undefined): boolean {
  return b !== undefined && a.size === b.size && bytesEqual(a.root, b.root)
}
