/**
 * Copies of this home's capsules on mirrors: what is committed here is pushed, in order and once,
 * whenever a mirror is there, and it is known who holds how much.
 *
 * The home itself is the queue: whatever happens to the network, a process or a mirror, entries
 * stay here and go out later. Rules NW4 and NW17-NW21 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  isLongshoreError,
  type LongshoreError,
  MAIN_BRANCH,
  openManifest,
  parseName,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import {
  type MirrorReceipt,
  type MirrorTarget,
  Publisher,
  publisherService,
  type ServiceNews,
  type StoreReader,
} from '@longshore/engine'
import type { CommitSignal } from '../commit-signal.ts'
import type { AddressBook, KnownMirror } from './address-book.ts'
import { Heartbeats } from './heartbeats.ts'
import { judgeKnownMirror } from './mirror-standing.ts'
import type { Network } from './network.ts'
import { type StatedHead, StatedHeads } from './stated-heads.ts'

export interface ReplicationOptions {
  readonly network: Network
  readonly store: StoreReader
  readonly commits: CommitSignal
  readonly book: AddressBook
  /** Has the writer of a capsule state its head: a checkpoint with its heartbeat. */
  readonly heartbeat: (name: CapsuleName) => Promise<string>
  /** Keeps evidence against a writer. Returns what is to be said about it. */
  readonly convict: (name: CapsuleName, evidence: Uint8Array) => VerificationError
}

export interface ReplicationPatience {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

interface JudgedMirror {
  readonly mirror: KnownMirror
  readonly problem: LongshoreError | undefined
}

/** Asked again after so long, unless the mirror says when. */
const RETRY_MS = 2000
/** What mirrors have stated is kept so often while they state more. */
const KEEP_MS = 1000
/** A mirror that is there has heard of a heartbeat by then. */
const STATE_TIMEOUT_MS = 2000
const SERVICE = 'publisher'

export class Replication {
  readonly #options: ReplicationOptions
  readonly #publisher: Publisher
  /** Mirrors of the capsules that are published, by capsule. */
  readonly #targets = new Map<string, Map<string, MirrorTarget>>()
  /** Newest receipt of each mirror, by capsule and mirror. */
  readonly #receipts = new Map<string, MirrorReceipt>()
  /** Heads that mirrors have stated to this process, by capsule. */
  readonly #stated = new Map<string, StatedHeads>()
  readonly #heartbeats: Heartbeats
  #cancelKeep: (() => void) | undefined
  /** Resolves when what was stated is kept. */
  #keeping: Promise<void> = Promise.resolve()
  /** What a mirror will say again, whenever it is asked. */
  readonly #refusals = new Map<string, Error>()
  readonly #convictions = new Map<string, VerificationError>()
  readonly #judged = new Map<string, { atS: number; mirrors: readonly JudgedMirror[] }>()
  readonly #watchers = new Set<() => void>()
  readonly #unfollow: () => void
  #isClosed = false

  constructor(options: ReplicationOptions) {
    this.#options = options
    const { network, store, commits } = options
    const canSend = (session: number): boolean => network.canSend(session)
    this.#publisher = new Publisher({ store, canSend, spares: network.spares })
    this.#heartbeats = new Heartbeats({
      ...{ store, state: options.heartbeat },
      tell: (name, heartbeat) => {
        network.run(SERVICE, this.#publisher.heartbeat(name, MAIN_BRANCH, heartbeat))
      },
      after: (delayMs, action) => network.after(delayMs, action),
    })
    network.add(SERVICE, publisherService(this.#publisher), (news) => this.#hear(news))
    this.#unfollow = commits.follow()
    void this.#pushCommits()
  }

  /** Keeps the capsule on all mirrors that are known by now. */
  publish(name: CapsuleName): void {
    const { network, book } = this.#options
    this.#judged.delete(formatName(name))
    const key = formatName(name)
    const known = this.#targets.get(key) ?? new Map<string, MirrorTarget>()
    this.#targets.set(key, known)
    for (const mirror of book.mirrors(name)) {
      const text = formatName(mirror.name)
      if (!known.has(text)) known.set(text, this.#createTarget(name, mirror))
    }
    const effects = this.#publisher.publish(name, MAIN_BRANCH, [...known.values()])
    network.run(SERVICE, effects)
    this.#heartbeats.add(name)
  }

  /** The writer states its head now; resolves when the mirrors that are there have heard of it. */
  async stateHead(name: CapsuleName): Promise<void> {
    await this.#heartbeats.state(name)
    await this.#options.network.delivered(STATE_TIMEOUT_MS)
  }

  /** Brings a heartbeat that was made to the mirrors, as a checkpoint. */
  tellHeartbeat(name: CapsuleName, checkpoint: string): void {
    this.publish(name)
    this.#heartbeats.tell(name, checkpoint)
  }

  /** @throws {UnavailableError} `LEVEL_IMPOSSIBLE`, saying why mirrors do not count. */
  checkLevel(name: CapsuleName, copies: number): void {
    const problems = this.#problems(name)
    const possible = problems.filter(({ problem }) => problem === undefined).length
    if (possible >= copies) return
    const reasons = problems.flatMap(({ mirror, problem }) =>
      problem === undefined ? [] : `${formatName(mirror.name)}: ${problem.message}`,
    )
    const known = `${possible} of ${problems.length} known mirrors count`
    const some = reasons.length === 0 ? known : `${known} (${reasons.join('; ')})`
    const why = problems.length === 0 ? 'the capsule has no mirror' : some
    const asked = copies === 1 ? 'one copy was asked for' : `${copies} copies were asked for`
    const details = { name: formatName(name), copies, possible, known: problems.length }
    throw new UnavailableError('LEVEL_IMPOSSIBLE', `${asked}, and ${why}`, details)
  }

  /** Mirrors that are known and count now. */
  countPossible(name: CapsuleName): number {
    return this.#problems(name).filter(({ problem }) => problem === undefined).length
  }

  /**
   * Resolves when so many mirrors that count hold all entries below `size`, with their receipts.
   *
   * @throws {UnavailableError} `NO_MIRROR` after that time, or once too many refuse; `ABORTED`
   * @throws {VerificationError} `EQUIVOCATION` with the evidence in base64 in `details.evidence`
   */
  async replicated(
    name: CapsuleName,
    size: number,
    copies: number,
    { timeoutMs, signal }: ReplicationPatience,
  ): Promise<MirrorReceipt[]> {
    this.publish(name)
    const { network } = this.#options
    const orElse = (): Error => this.#tooFew(name, size, copies)
    await network.until(
      () => this.#isHeld(name, size, copies),
      { timeoutMs, signal, orElse },
      (look) => this.#watch(look),
    )
    return this.receipts(name).filter(({ head }) => head.size >= size)
  }

  /**
   * Waits until this mirror holds all entries below `size`, whether it counts or not.
   *
   * @throws what the mirror says against it
   * @throws {UnavailableError} `NO_MIRROR` after that time
   */
  heldBy(
    name: CapsuleName,
    mirror: CapsuleName,
    size: number,
    { timeoutMs, signal }: ReplicationPatience,
  ): Promise<void> {
    const orElse = (): Error => noAnswer(mirror)
    const isHeld = (): boolean => {
      const refusal = this.refusal(name, mirror)
      if (refusal !== undefined) throw refusal
      const receipt = this.#receipts.get(`${formatName(name)}/${formatName(mirror)}`)
      return receipt !== undefined && receipt.head.size >= size
    }
    const { network } = this.#options
    return network.until(isHeld, { timeoutMs, signal, orElse }, (look) => this.#watch(look))
  }

  /** The newest receipt of each mirror that has given one to this process. */
  receipts(name: CapsuleName): MirrorReceipt[] {
    const mirrors = this.#targets.get(formatName(name))?.keys() ?? []
    return [...mirrors].flatMap(
      (mirror) => this.#receipts.get(`${formatName(name)}/${mirror}`) ?? [],
    )
  }

  /** Why this mirror takes nothing more; undefined if it does, or has not answered. */
  refusal(name: CapsuleName, mirror: CapsuleName): Error | undefined {
    return this.#refusals.get(`${formatName(name)}/${formatName(mirror)}`)
  }

  /** What mirrors have stated to this process. */
  stated(name: CapsuleName): StatedHeads | undefined {
    return this.#stated.get(formatName(name))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unfollow()
    this.#cancelKeep?.()
    await this.#heartbeats.close()
    await this.#keeping
    await this.#keepReceipts()
  }

  /** Keeps what mirrors have stated in the home, for whoever makes a receipt of an entry later. */
  async #keepReceipts(): Promise<void> {
    const { book } = this.#options
    for (const { name, mirror, signedHead, timeS, signature } of [...this.#receipts.values()]) {
      if (signedHead === undefined) continue
      const kept = book.receipt(name, mirror)
      if (kept?.head.size === signedHead.size && kept.timeS >= timeS) continue
      await book.keepReceipt(name, mirror, { head: signedHead, timeS, signature })
    }
    for (const [text, stated] of [...this.#stated]) {
      const best = stated.best(0)
      const name = parseName(text)
      if (best !== undefined && isBetter(best, book.stated(name))) await book.keepStated(name, best)
    }
  }

  #keepSoon(): void {
    this.#cancelKeep ??= this.#options.network.after(KEEP_MS, () => {
      this.#keeping = this.#keepReceipts()
        .catch((error: unknown) => {
          // A home that cannot be written to now: it is tried again with the next receipt.
          if (!isLongshoreError(error)) throw error
        })
        .finally(() => {
          this.#cancelKeep = undefined
        })
    })
  }

  /** Whatever this home commits goes out. */
  async #pushCommits(): Promise<void> {
    const { commits, network } = this.#options
    for (;;) {
      const { version } = commits
      try {
        await commits.changed(version)
      } catch {
        // The home is being closed.
        return
      }
      if (this.#isClosed || network.isClosed) return
      network.run(SERVICE, [])
    }
  }

  /** Whether it counts is asked anew: a certificate ends, a membership becomes known. */
  #createTarget(name: CapsuleName, { name: mirror, chain }: KnownMirror): MirrorTarget {
    const counts = (): boolean =>
      this.#problems(name).some(
        ({ mirror: known, problem }) => problem === undefined && bytesEqual(known.name, mirror),
      )
    return {
      mirror,
      chain,
      get counts() {
        return counts()
      },
    }
  }

  /** Why mirrors do not count, judged once a second: each costs a signature. */
  #problems(name: CapsuleName): readonly JudgedMirror[] {
    const { book, store, network } = this.#options
    const key = formatName(name)
    const atS = Math.floor(network.runtime.nowUs() / 1_000_000)
    const known = this.#judged.get(key)
    if (known?.atS === atS) return known.mirrors
    const signed = openManifest(store.manifest(name) as Uint8Array, name)
    const mirrors = book
      .mirrors(name)
      .map((mirror) => ({ mirror, problem: judgeKnownMirror(signed, mirror, atS).problem }))
    this.#judged.set(key, { atS, mirrors })
    return mirrors
  }

  #isHeld(name: CapsuleName, size: number, copies: number): boolean {
    const conviction = this.#convictions.get(formatName(name))
    if (conviction !== undefined) throw conviction
    const holding = this.#publisher.countHolding(name, MAIN_BRANCH, size)
    if (holding >= copies) return true
    const refused = this.#problems(name).filter(
      ({ mirror, problem }) => problem === undefined && this.refusal(name, mirror.name),
    ).length
    const willing = this.countPossible(name) - refused
    // Not before those that are willing have it: the caller may be about to close the home.
    if (willing < copies && holding >= willing) throw this.#tooFew(name, size, copies)
    return false
  }

  #tooFew(name: CapsuleName, size: number, copies: number): UnavailableError {
    const holding = this.#publisher.countHolding(name, MAIN_BRANCH, size)
    const reasons = this.#problems(name).flatMap(({ mirror }) => {
      const refusal = this.refusal(name, mirror.name)
      return refusal === undefined ? [] : `${formatName(mirror.name)}: ${refusal.message}`
    })
    const { network } = this.#options
    if (network.neighbors.length === 0) reasons.push(network.noLink().message)
    const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
    const message = `${holding} of ${copies} mirrors hold the entries below ${size}${why}`
    const details = { name: formatName(name), size, copies, holding }
    return new UnavailableError('NO_MIRROR', message, details)
  }

  #hear(news: ServiceNews): void {
    switch (news.type) {
      case 'receipt': {
        const key = `${formatName(news.name)}/${formatName(news.mirror)}`
        this.#receipts.set(key, news)
        this.#refusals.delete(key)
        this.#noteStated(news)
        break
      }
      case 'failed':
        if ('mirror' in news) this.#refused(news)
        break
      case 'evidence':
        if ('name' in news) {
          const { name, bytes } = news
          this.#convictions.set(formatName(name), this.#options.convict(name, bytes))
        }
        break
    }
    for (const watcher of [...this.#watchers]) watcher()
  }

  #noteStated({ name, mirror, signedHead, timeS, signature }: MirrorReceipt): void {
    if (signedHead === undefined) return
    const text = formatName(name)
    const stated = this.#stated.get(text) ?? new StatedHeads()
    this.#stated.set(text, stated)
    stated.add(signedHead, { mirror, timeS, signature })
    this.#keepSoon()
  }

  #refused(news: Extract<ServiceNews, { type: 'failed'; mirror: CapsuleName }>): void {
    const { name, mirror, error, retryAfterMs } = news
    const isForGood =
      isLongshoreError(error) &&
      (error instanceof VerificationError || error.code === 'POLICY_REFUSED')
    if (isForGood) {
      this.#refusals.set(`${formatName(name)}/${formatName(mirror)}`, error)
      return
    }
    const { network } = this.#options
    network.after(retryAfterMs ?? RETRY_MS, () => {
      if (!this.#isClosed) network.run(SERVICE, this.#publisher.retry(mirror))
    })
  }

  #watch(action: () => void): () => void {
    this.#watchers.add(action)
    return () => this.#watchers.delete(action)
  }
}

/** More mirrors have stated the same head, or as many a newer one. */
function isBetter(a: StatedHead, b: StatedHead | undefined): boolean {
  const lead = a.statements.length - (b?.statements.length ?? 0)
  return lead > 0 || (lead === 0 && a.head.size > (b?.head.size ?? 0))
}

export function noAnswer(mirror: CapsuleName): UnavailableError {
  const message = 'the mirror does not answer now; entries go there when it does'
  return new UnavailableError('NO_MIRROR', message, { mirror: formatName(mirror) })
}
