/**
 * An application that appends to one capsule: the real writer with its anchor, in a home on the
 * node's disk, and the node's publisher, which pushes what is committed to mirrors.
 *
 * @module
 */
import {
  assert,
  bytesEqual,
  type CertChain,
  concatBytes,
  encodeUtf8,
  MAIN_BRANCH,
  type Signer,
} from '@longshore/capsule'
import {
  type BranchWriter,
  createFirstInstance,
  type NodeEffect,
  openBranchWriter,
} from '@longshore/engine'
import {
  type Authority,
  createAdChain,
  type OwnedCapsule,
  type Prng,
  type SimActor,
  SimAnchor,
  type SimNode,
  type SimSource,
  type SimTransaction,
} from '@longshore/engine/testing'
import type { Truth } from '../truth.ts'
import type { World } from '../world.ts'

interface MirrorOfCapsule {
  readonly mirror: SimNode
  readonly chain: CertChain
}

export interface WriterOptions {
  readonly capsule: OwnedCapsule
  readonly truth: Truth
  readonly mirrors: readonly MirrorOfCapsule[]
  /** Mirrors that must hold an entry before it counts as acknowledged. */
  readonly copies: number
}

/** The driver of a real home syncs the anchor this long after a write (WR9). */
const ANCHOR_SYNC_US = 1_000_000
const RETRY_US = 5_000_000

export class Writer implements SimActor, SimSource {
  readonly truth: Truth
  readonly node: SimNode
  /** Entries that the application was told are held by `copies` mirrors. */
  acknowledged = 0
  appends = 0
  readonly #world: World
  readonly #options: WriterOptions
  readonly #prng: Prng
  readonly #anchor: SimAnchor
  readonly #signer: Signer
  #mirrors: readonly MirrorOfCapsule[]
  readonly #payloads = new Map<number, Uint8Array>()
  #writer: BranchWriter | undefined
  #isSyncPlanned = false

  constructor(world: World, node: SimNode, prng: Prng, options: WriterOptions) {
    this.#world = world
    this.node = node
    this.truth = options.truth
    this.#options = options
    this.#mirrors = options.mirrors
    this.#prng = prng
    this.#anchor = new SimAnchor(prng.child())
    this.#signer = options.capsule.writer
    const { name, signed } = options.capsule.signed
    const first = createFirstInstance(name, MAIN_BRANCH, node.runtime)
    this.#anchor.write(first.anchor)
    this.#anchor.sync()
    node.commit([{ type: 'manifest', name, signed }, first.note])
    node.add(this)
  }

  get owner(): Authority {
    return this.#options.capsule.owner
  }

  /** What a power loss does to the file beside the home. */
  losePower(): void {
    this.#anchor.losePower()
  }

  started(): void {
    const { node, truth } = this
    const { name } = truth
    this.#isSyncPlanned = false
    this.#writer = openBranchWriter({
      ...{ store: node.store, name, branch: MAIN_BRANCH, signer: this.#signer },
      ...{ runtime: node.runtime, anchor: this.#anchor },
    })
    assert(this.#writer.doubt === undefined, 'a home that was never copied has no doubt')
    truth.reopen(this.#writer.size)
    node.publish(name, this.#mirrors)
  }

  /** The owner lets another node hold what this one held. */
  replaceMirror(before: SimNode, mirror: SimNode): void {
    const kept = this.#mirrors.filter((known) => known.mirror !== before)
    if (kept.length === this.#mirrors.length) return
    const chain = createAdChain(this.#world.prng, this.owner, mirror.identity.name)
    this.#mirrors = [...kept, { mirror, chain }]
    if (this.node.isUp) this.node.publish(this.truth.name, [{ mirror, chain }])
  }

  heard(effect: NodeEffect): void {
    if (effect.type !== 'news' || effect.service !== 'publisher') return
    const { news } = effect
    if (!('name' in news) || !bytesEqual(news.name, this.truth.name)) return
    switch (news.type) {
      case 'receipt':
        this.#world.claims.receipt(this.truth, news)
        return
      case 'replicated':
        this.#world.claims.replicated(this.truth, news.size, news.count)
        if (news.count >= this.#options.copies && news.size > this.acknowledged) {
          this.acknowledged = news.size
          const capsule = this.truth.label
          this.#world.history.push({ type: 'acknowledged', capsule, size: news.size })
        }
        return
      case 'failed': {
        this.#world.claims.refusedPush(this.truth, news.mirror, news.error)
        const { mirror, retryAfterMs } = news
        const delayUs = retryAfterMs === undefined ? RETRY_US : retryAfterMs * 1000
        const { publisher } = this.node
        this.node.after(delayUs, () => {
          this.node.step({ type: 'run', service: 'publisher', effects: publisher.retry(mirror) })
        })
      }
    }
  }

  /** Appends some entries, if the node is up. */
  append(count: number, payloadBytesMax: number): void {
    const writer = this.#writer
    if (!this.node.isUp || writer === undefined) return
    for (let i = 0; i < count; i++) {
      const text = `${this.truth.label} ${++this.appends} `
      const filler = this.#prng.bytes(this.#prng.below(payloadBytesMax + 1))
      const payload = concatBytes(encodeUtf8(text), filler)
      this.#payloads.set(writer.append(this.appends, payload), payload)
    }
    this.node.request(this)
  }

  /** Erases a few entries that are committed. */
  erase(): void {
    const writer = this.#writer
    if (!this.node.isUp || writer === undefined || this.truth.size === 0) return
    const start = this.#prng.below(this.truth.size)
    const end = Math.min(this.truth.size, start + this.#prng.between(1, 3))
    const index = writer.erase(++this.appends, [{ start, end }], 'asked to')
    this.#payloads.set(index, new Uint8Array(0))
    this.node.request(this)
  }

  cut(): SimTransaction | undefined {
    const writer = this.#writer
    const cut = writer?.cut()
    if (writer === undefined || cut === undefined) return undefined
    const { ops, size } = cut
    this.truth.cut(ops, (index) => this.#payloads.get(index) ?? new Uint8Array(0))
    return {
      ops,
      durable: () => {
        writer.durable(size)
        this.#planSync()
      },
      committed: () => {
        writer.committed(size)
        this.truth.commit(size)
        this.node.step({ type: 'run', service: 'publisher', effects: [] })
      },
      failed: () => {
        writer.refused(size)
        if (writer.cutsInFlight === 0) this.started()
      },
    }
  }

  #planSync(): void {
    if (this.#isSyncPlanned) return
    this.#isSyncPlanned = true
    this.node.after(ANCHOR_SYNC_US, () => {
      this.#isSyncPlanned = false
      this.#anchor.sync()
    })
  }
}
