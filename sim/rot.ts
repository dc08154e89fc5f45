/**
 * Mirrors of which an entry has rotted, and which mend themselves in place: the same node, whose
 * word must hold afterwards.
 *
 * A bit flips in a payload that the mirror holds. Until that is found what it says binds nobody, as
 * with any rotten disk. Then it is looked for, as a node does when it starts and once a day. From
 * the moment in which the copy is given up until it is whole again, nothing more is stated of it;
 * afterwards all that was ever stated is there, and is what was committed (SM12, I1, I3).
 *
 * @module
 */
import { bytesEqual, MAIN_BRANCH } from '@longshore/capsule'
import type { NodeEffect, StoreReader } from '@longshore/engine'
import { type SimNode, statedSize } from '@longshore/engine/testing'
import type { Truth } from './truth.ts'
import { hold } from './violation.ts'
import type { World } from './world.ts'

/** Where the journal of a store lies. */
const SEGMENTS = 'segments/'
/** From a damage until somebody looks, at most, and until he looks again. */
const LOOK_US_MAX = 30_000_000
/** What was said before it was whole again has arrived by then. */
const TRUST_US = 10_000_000
/** Payloads that are tried: some are too short, or erased. */
const TRIES = 8
const PAYLOAD_BYTES_MIN = 8

interface Hit {
  readonly truth: Truth
  /** The mirror has noticed. */
  isFound: boolean
  /** Size of the last statement, once the copy was given up. */
  stated: number | undefined
  /** Of the process that gave it up. */
  store: StoreReader | undefined
  isMended: boolean
}

export class Rot {
  /** Mirrors that have mended themselves. */
  mendedCount = 0
  readonly #world: World
  readonly #hits = new Map<SimNode, Hit>()

  constructor(world: World) {
    this.#world = world
  }

  /** False if the node holds nothing that could be hit. */
  strike(node: SimNode): boolean {
    const { prng, copies } = this.#world
    const held = copies.filter((copy) => copy.node === node && copy.truth.isCorrect)
    if (held.length === 0 || this.#hits.has(node)) return false
    const { truth } = prng.pick(held)
    for (let i = 0; i < TRIES; i++) {
      const size = node.store.state(truth.name, MAIN_BRANCH)?.size ?? 0
      const payload = size === 0 ? undefined : truth.payload(prng.below(size))
      if (payload === undefined || payload.length < PAYLOAD_BYTES_MIN) continue
      if (!this.#flip(node, payload)) continue
      this.#hits.set(node, {
        truth,
        isFound: false,
        stated: undefined,
        store: undefined,
        isMended: false,
      })
      this.#world.after(prng.below(LOOK_US_MAX), () => this.#look(node))
      return true
    }
    return false
  }

  /** Another node takes its place. */
  forget(node: SimNode): void {
    this.#hits.delete(node)
  }

  heard(node: SimNode, effect: NodeEffect): void {
    const hit = this.#hits.get(node)
    if (hit === undefined || effect.type !== 'news' || effect.service !== 'mirror') return
    const { news } = effect
    if (news.type !== 'damaged' && news.type !== 'mending' && news.type !== 'mended') return
    if (!bytesEqual(news.name, hit.truth.name)) return
    if (news.type === 'damaged') hit.isFound = true
    else if (news.type === 'mending') {
      hit.stated = statedSize(node.store, hit.truth.name)
      hit.store = node.store
    } else if (!hit.isMended) this.#mended(node, hit)
  }

  /** Called after every tick. */
  inspect(): void {
    for (const [node, hit] of this.#hits) {
      const { truth, stated, isMended } = hit
      if (stated === undefined || isMended || !node.isUp) continue
      const now = statedSize(node.store, truth.name)
      if (node.store === hit.store || node.mirror?.isMending(truth.name) === true) {
        hold('I3', now === stated, () => {
          return `${node.name} states ${now} entries of ${truth.label} before its copy is whole again`
        })
      } else {
        // The process died with the last commit of it, and told nobody.
        const size = node.store.state(truth.name, MAIN_BRANCH)?.size ?? 0
        hold('I3', size >= stated, () => `${node.name} has ${size} of ${stated} of ${truth.label}`)
        this.#mended(node, hit)
      }
    }
  }

  /** What is still to be mended; undefined if nothing is. */
  get unfinished(): string | undefined {
    for (const [node, { truth }] of this.#hits) {
      if (truth.isCorrect) return `${node.name} has not mended its copy of ${truth.label}`
    }
    return undefined
  }

  #flip(node: SimNode, payload: Uint8Array): boolean {
    const { prng } = this.#world
    for (const path of node.disk.files().filter((file) => file.startsWith(SEGMENTS))) {
      const at = Buffer.from(node.disk.contents(path)).indexOf(Buffer.from(payload))
      if (at < 0) continue
      node.disk.flipBit(path, at + prng.below(payload.length), prng.below(8))
      return true
    }
    return false
  }

  /** The process may have died meanwhile, or may die before it has mended anything. */
  #look(node: SimNode): void {
    const hit = this.#hits.get(node)
    if (hit === undefined || hit.isMended) return
    this.#world.after(LOOK_US_MAX, () => this.#look(node))
    if (!node.isUp) return
    node.scrub()
    // The bytes were those of a copy that had been given up before, or nobody has offered this one.
    const isHeld = node.mirror?.holds(hit.truth.name) === true
    if (!hit.isFound && isHeld) this.#trustSoon(node, hit)
  }

  #mended(node: SimNode, hit: Hit): void {
    hit.isMended = true
    this.mendedCount++
    this.#world.digest.note(this.#world.nowUs, node.name, 'mended')
    for (const reader of this.#world.readers) {
      if (reader.distrusts(node)) this.#world.after(0, () => reader.node.restart('kill'))
    }
    this.#trustSoon(node, hit)
  }

  #trustSoon(node: SimNode, hit: Hit): void {
    this.#world.after(TRUST_US, () => {
      if (this.#hits.get(node) !== hit) return
      this.#hits.delete(node)
      this.#world.trust(node)
    })
  }
}
