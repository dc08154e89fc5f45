/**
 * One world: nodes, a network, time, what is true in it, and the checkers that watch.
 *
 * Everything in it follows from the seed. It runs in ticks of one virtual second; after each the
 * machines are looked at, while what they say is judged at the moment in which they say it.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatHex,
  isLongshoreError,
  MAIN_BRANCH,
} from '@longshore/capsule'
import type { Membership, NodeEffect } from '@longshore/engine'
import {
  type Authority,
  createMembership,
  createOwnedCapsule,
  EPOCH_US,
  type Lie,
  type LinkConditions,
  type OwnedCapsule,
  Prng,
  type SimDisk,
  SimNetwork,
  SimNode,
} from '@longshore/engine/testing'
import { Reader, type ReaderOptions } from './actors/reader.ts'
import { Writer, type WriterOptions } from './actors/writer.ts'
import { Claims } from './checkers/claims.ts'
import {
  checkCopy,
  checkLimits,
  checkSound,
  checkStated,
  RouteChecker,
} from './checkers/machines.ts'
import { Digest } from './digest.ts'
import { checkHistory, type HistoryEvent } from './history.ts'
import { Rot } from './rot.ts'
import { Truth } from './truth.ts'
import { hold } from './violation.ts'

const TICK_US = 1_000_000
/** Events in one tick beyond which a world is taken to run in circles. */
const EVENTS_PER_TICK_MAX = 2_000_000
/** Where the journal of a store lies. */
const SEGMENTS = 'segments/'
/** From a damage until somebody looks, at most. */
const ROT_US_MAX = 30_000_000
/** How long a node that died of itself stays down, at most. */
const DOWN_US_MAX = 5_000_000

export interface NodeOptions {
  readonly isRouter?: boolean
  readonly isMirror?: boolean
  readonly domain?: Authority
  readonly disk?: SimDisk
  /** Its mirror says something else: bound by nothing, whatever it states or lacks. */
  readonly lie?: Lie
}

export class World {
  readonly seed: number
  readonly prng: Prng
  readonly network: SimNetwork
  readonly digest: Digest = new Digest()
  readonly history: HistoryEvent[] = []
  readonly claims: Claims
  readonly nodes: SimNode[] = []
  readonly truths: Truth[] = []
  readonly writers: Writer[] = []
  readonly readers: Reader[] = []
  /** Copies that must be whole at the end. */
  copies: readonly { readonly node: SimNode; readonly truth: Truth }[] = []
  readonly liars: Set<string> = new Set()
  ticks = 0
  deaths = 0
  readonly #options = new Map<SimNode, NodeOptions>()
  /** Their disks were put back: they never speak again. */
  readonly #retired = new Set<SimNode>()
  readonly #rotten = new Set<SimNode>()
  readonly #mending: Rot
  readonly #domains = new Map<string, CapsuleName>()
  readonly #routes: RouteChecker

  constructor(seed: number, conditions?: LinkConditions) {
    this.seed = seed
    this.prng = new Prng(seed)
    this.network = new SimNetwork(this.prng.child(), conditions)
    this.claims = new Claims(formatHex, this.liars, this.truths)
    this.#mending = new Rot(this)
    this.#routes = new RouteChecker((node) => {
      const domain = this.#domains.get(formatHex(node))
      return domain === undefined ? [] : [domain]
    })
  }

  /** Mirrors whose disk turned out to be an old one, and that are other nodes now. */
  get replacedCount(): number {
    return this.#retired.size
  }

  /** Mirrors that have mended a copy in place. */
  get mendedCount(): number {
    return this.#mending.mendedCount
  }

  get nowUs(): number {
    return this.network.queue.nowUs
  }

  addNode(name: string, options: NodeOptions = {}): SimNode {
    const { domain, ...rest } = options
    const prng = this.prng.child()
    const membership = (self: CapsuleName): Membership =>
      createMembership(new Prng(prng.seed), domain as Authority, self)
    const node = new SimNode(this.network, prng, name, {
      ...rest,
      ...(domain === undefined ? {} : { membership }),
      onEvent: (self, event) => this.digest.event(this.nowUs, self.name, event),
      onDeath: (self) => this.#died(self),
    })
    const key = formatHex(node.identity.name)
    if (domain !== undefined) this.#domains.set(key, domain.manifest.name)
    if (options.lie !== undefined) this.liars.add(key)
    node.add({ heard: (effect) => this.#heard(node, effect) })
    this.nodes.push(node)
    this.#options.set(node, options)
    return node
  }

  /** The writer's key in other hands: a second home that signs a history of its own. */
  copyCapsule(label: string, capsule: OwnedCapsule): Truth {
    const truth = new Truth(label, capsule.signed)
    this.truths.push(truth)
    for (const known of this.truths) {
      if (bytesEqual(known.name, truth.name)) known.isCorrect = false
    }
    return truth
  }

  addCapsule(
    label: string,
    owner: Authority,
    policy: Parameters<typeof createOwnedCapsule>[2] = {},
  ): { readonly capsule: OwnedCapsule; readonly truth: Truth } {
    const capsule = createOwnedCapsule(this.prng, owner, policy)
    const truth = new Truth(label, capsule.signed)
    this.truths.push(truth)
    return { capsule, truth }
  }

  addWriter(node: SimNode, options: WriterOptions): Writer {
    const writer = new Writer(this, node, this.prng.child(), options)
    this.writers.push(writer)
    const { truth } = options
    this.copies = [...this.copies, ...options.mirrors.map(({ mirror: node }) => ({ node, truth }))]
    return writer
  }

  addReader(node: SimNode, options: ReaderOptions): Reader {
    const reader = new Reader(this, node, this.prng.child(), options)
    if (options.isStranger !== true) this.readers.push(reader)
    return reader
  }

  isLiar(node: SimNode): boolean {
    return this.liars.has(formatHex(node.identity.name))
  }

  /** Happens after so much virtual time. */
  after(delayUs: number, action: () => void): void {
    this.network.queue.schedule(this.nowUs + delayUs, action)
  }

  crash(node: SimNode, how: 'kill' | 'power'): void {
    this.digest.note(this.nowUs, node.name, how)
    node.crash(how, this.prng.pick(['keep', 'roll-back', 'vanish'] as const))
  }

  start(node: SimNode): void {
    if (node.isUp || this.#retired.has(node)) return
    this.digest.note(this.nowUs, node.name, 'start')
    try {
      node.start()
    } catch (error) {
      // A store with damage says so when it is opened, or lacks what the node cannot do without.
      if (!isLongshoreError(error) || !this.#rotten.has(node)) throw error
      this.#replace(node, undefined)
      return
    }
    if (!node.isUp) return
    if (!this.isLiar(node)) {
      checkStated(node, this.claims.stated.get(formatHex(node.identity.name)))
    } else if (node.isInDoubt) {
      // What rotted was the end of its head log: it starts as another node.
      this.#replace(node, undefined)
    }
  }

  /**
   * The operator of a mirror puts an older copy of its disk back. If it has stated more since then
   * it says so, and another node takes its place, with what lies on the disk.
   */
  restore(node: SimNode): void {
    this.digest.note(this.nowUs, node.name, 'restore')
    node.crash('kill')
    node.restoreBackup()
    node.start()
    if (!node.isInDoubt) {
      checkStated(node, this.claims.stated.get(formatHex(node.identity.name)))
      return
    }
    this.#replace(node, node.disk)
  }

  /**
   * A bit of a mirror's journal flips. What it says binds nobody until somebody has looked. Some
   * are mended in place, others replaced.
   */
  rot(node: SimNode): void {
    const { prng } = this
    this.digest.note(this.nowUs, node.name, 'rot')
    if (prng.chance(0.5) && this.#mending.strike(node)) {
      this.liars.add(formatHex(node.identity.name))
      return
    }
    const path = prng.pick(node.disk.files().filter((file) => file.startsWith(SEGMENTS)))
    const used = node.disk.contents(path).findLastIndex((byte) => byte !== 0) + 1
    node.disk.flipBit(path, prng.below(Math.max(1, used)), prng.below(8))
    this.#rotten.add(node)
    this.liars.add(formatHex(node.identity.name))
    this.after(prng.below(ROT_US_MAX), () => this.#look(node))
  }

  /** Its copies are whole again: from now on it is held to all that it has said and says. */
  trust(node: SimNode): void {
    const key = formatHex(node.identity.name)
    this.liars.delete(key)
    if (!node.isUp) return
    checkStated(node, this.claims.stated.get(key))
    for (const copy of this.copies) if (copy.node === node) checkSound(node, copy.truth)
  }

  /** Fsck finds the damage, or nothing that is in force was hit. Then it gets a new disk. */
  #look(node: SimNode): void {
    if (this.#retired.has(node)) return
    if (node.isUp && node.store.fsck().ok) {
      for (const copy of this.copies) if (copy.node === node) checkSound(node, copy.truth)
    }
    this.#replace(node, undefined)
  }

  #replace(node: SimNode, disk: SimDisk | undefined): void {
    this.digest.note(this.nowUs, node.name, 'replaced')
    node.crash('kill')
    this.#retired.add(node)
    this.#mending.forget(node)
    const { disk: _before, ...options } = this.#options.get(node) ?? {}
    const next = this.addNode(`${node.name}+`, { ...options, ...(disk && { disk }) })
    for (const ticket of node.joined) next.join({ ticket })
    this.copies = this.copies.map((copy) => (copy.node === node ? { ...copy, node: next } : copy))
    for (const writer of this.writers) writer.replaceMirror(node, next)
    for (const reader of this.readers) reader.replaceMirror(node, next)
  }

  /** Lets so many seconds pass. */
  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.ticks++
      this.#runUntil(this.nowUs + TICK_US)
      this.inspect()
    }
  }

  inspect(): void {
    this.#mending.inspect()
    for (const node of this.nodes) {
      if (!node.isUp || this.isLiar(node)) continue
      const nowS = Math.floor(node.runtime.nowUs() / 1e6)
      this.#routes.check(node, nowS)
      checkLimits(node)
    }
  }

  /** Faults are over: everything must come to rest, and be where it belongs. */
  converge(ticksMax: number): number {
    let ticks = 0
    while (this.#unfinished() !== undefined) {
      const why = this.#unfinished()
      hold('I8', ticks < ticksMax, () => `after ${ticks} quiet seconds: ${why}`)
      this.run(1)
      ticks++
    }
    this.#checkEnd()
    return ticks
  }

  #runUntil(endUs: number): void {
    const { queue } = this.network
    for (let count = 0; (queue.nextUs ?? Number.POSITIVE_INFINITY) <= endUs; count++) {
      hold('I6', count < EVENTS_PER_TICK_MAX, () => 'the world runs in circles')
      queue.step()
    }
    queue.runUntil(endUs)
  }

  /** Mirrors and publishers keep evidence under the name of its capsule. */
  #heard(node: SimNode, effect: NodeEffect): void {
    this.#mending.heard(node, effect)
    if (effect.type !== 'news' || effect.news.type !== 'evidence' || !('name' in effect.news))
      return
    const { name, bytes } = effect.news
    const truth = this.truths.find((known) => bytesEqual(known.name, name))
    hold('I4', truth !== undefined, () => `${node.name} has evidence about nobody's capsule`)
    if (truth !== undefined && !this.isLiar(node)) this.claims.evidence(node.name, truth, bytes)
  }

  #isConvicted(truth: Truth): boolean {
    const { convicted } = this.claims
    return this.truths.some((other) => bytesEqual(other.name, truth.name) && convicted.has(other))
  }

  #died(node: SimNode): void {
    this.deaths++
    this.digest.note(this.nowUs, node.name, 'died')
    // Sometimes the power was the reason.
    if (this.prng.chance(0.3)) node.crash('power')
    this.after(this.prng.below(DOWN_US_MAX), () => this.start(node))
  }

  /** What is still missing; undefined if nothing is. */
  #unfinished(): string | undefined {
    for (const { node, truth } of this.copies) {
      if (!truth.isCorrect || this.isLiar(node)) continue
      if (!node.isUp) return `${node.name} is down`
      const size = node.store.state(truth.name, MAIN_BRANCH)?.size ?? 0
      if (size < truth.size) return `${node.name} has ${size} of ${truth.size} of ${truth.label}`
    }
    for (const { truth, size, label } of this.readers) {
      if (truth.isCorrect && size < truth.size) return `${label} has ${size} of ${truth.size}`
    }
    for (const { truth, acknowledged } of this.writers) {
      if (truth.isCorrect && acknowledged < truth.size) {
        return `${acknowledged} of ${truth.size} of ${truth.label} are acknowledged`
      }
    }
    if (this.#mending.unfinished !== undefined) return this.#mending.unfinished
    const unnoticed = this.truths.find((truth) => {
      return this.#isForked(truth) && !this.#isConvicted(truth)
    })
    return unnoticed && `nobody noticed the two histories of ${unnoticed.label}`
  }

  /** Both homes have written: before that, what one of them says contradicts nothing. */
  #isForked(truth: Truth): boolean {
    const written = this.truths.filter(({ name, size }) => size > 0 && bytesEqual(name, truth.name))
    return !truth.isCorrect && written.length > 1
  }

  #checkEnd(): void {
    for (const { node, truth } of this.copies) {
      if (!truth.isCorrect || this.isLiar(node)) continue
      checkCopy(node, truth)
      checkStated(node, this.claims.stated.get(formatHex(node.identity.name)))
    }
    for (const truth of this.truths) {
      if (!truth.isCorrect) continue
      const leaves = Array.from({ length: truth.size }, (_, i) => truth.leaf(i) ?? '')
      this.history.push({ type: 'final', capsule: truth.label, leaves })
    }
    const dishonest = new Set(this.truths.filter((t) => !t.isCorrect).map((t) => t.label))
    checkHistory(this.history.filter(({ capsule }) => !dishonest.has(capsule)))
  }
}

/** Seconds since 1970 at virtual time 0. */
export const EPOCH_S: number = EPOCH_US / 1_000_000
