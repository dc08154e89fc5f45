/**
 * What goes wrong in a world: each kind at its own rate, drawn from the seed, until it is told to
 * stop; then everything is put right.
 *
 * @module
 */
import { LAN, type SimNode, WAN } from '@longshore/engine/testing'
import type { World } from './world.ts'

/** Mean time between two faults of a kind, in seconds; 0: never. */
export interface FaultMix {
  /** A process dies or a machine loses power, and comes back. */
  readonly crash: number
  /** The same, within a call to the disk. */
  readonly diskCrash: number
  /** A call to the disk fails. */
  readonly diskError: number
  /** Two halves of the network do not hear each other, or only one of them. */
  readonly partition: number
  /** Connections break. */
  readonly reset: number
  /** Somebody copies the disk of a mirror, and puts it back later. */
  readonly restore: number
  /** A bit on the disk of a mirror flips. */
  readonly rot: number
  /** A clock is set wrong, by up to `skewSMax`. */
  readonly clock: number
  /** A path is slow and lossy for a while. */
  readonly weather: number
  readonly skewSMax: number
}

export const NO_FAULTS: FaultMix = Object.freeze({
  ...{ crash: 0, diskCrash: 0, diskError: 0, partition: 0, reset: 0, restore: 0 },
  ...{ rot: 0, clock: 0, weather: 0 },
  skewSMax: 0,
})

type Kind = Exclude<keyof FaultMix, 'skewSMax'>

const KINDS: readonly Kind[] = [
  ...(['crash', 'diskCrash', 'diskError', 'partition', 'reset', 'restore'] as const),
  ...(['rot', 'clock', 'weather'] as const),
]
const SECOND_US = 1_000_000
const DOWN_US_MAX = 40 * SECOND_US
const PARTITION_US_MAX = 60 * SECOND_US
/** A fault is planned within so many operations of the disk. */
const OPERATIONS_AHEAD = 40

export class Faults {
  readonly counts: Record<Kind, number> = {
    ...{ crash: 0, diskCrash: 0, diskError: 0, partition: 0, reset: 0, restore: 0 },
    ...{ rot: 0, clock: 0, weather: 0 },
  }
  readonly #world: World
  readonly #mix: FaultMix
  #isOver = false

  constructor(world: World, mix: FaultMix) {
    this.#world = world
    this.#mix = mix
    for (const kind of KINDS) if (mix[kind] > 0) this.#plan(kind)
  }

  /** Networks are whole, machines are up, clocks are right from now on. */
  stop(): void {
    this.#isOver = true
    const { network, nodes } = this.#world
    network.healAll()
    for (const node of nodes) {
      node.skewUs = 0
      this.#world.start(node)
    }
  }

  #plan(kind: Kind): void {
    const { prng, nodes } = this.#world
    this.#world.after(prng.below(2 * this.#mix[kind] * SECOND_US), () => {
      if (this.#isOver) return
      this.counts[kind]++
      this.#strike(kind, prng.pick(nodes))
      this.#plan(kind)
    })
  }

  #strike(kind: Kind, node: SimNode): void {
    this.#world.digest.note(this.#world.nowUs, node.name, kind)
    switch (kind) {
      case 'crash':
        this.#crash(node)
        return
      case 'diskCrash':
        this.#planDiskFault(node, ['crash-before', 'crash-after'])
        return
      case 'diskError':
        this.#planDiskFault(node, ['IO', 'FULL'])
        return
      case 'partition':
        this.#partition()
        return
      case 'reset':
        this.#reset(node)
        return
      case 'restore':
        this.#restore(this.#pickMirror())
        return
      case 'rot': {
        const mirror = this.#pickMirror()
        if (mirror !== undefined) this.#world.rot(mirror)
        return
      }
      case 'clock':
        this.#setClock(node)
        return
      case 'weather':
        this.#weather(node)
    }
  }

  #crash(node: SimNode): void {
    const { prng } = this.#world
    if (!node.isUp) return
    this.#world.crash(node, prng.chance(0.5) ? 'kill' : 'power')
    this.#world.after(prng.below(DOWN_US_MAX), () => this.#world.start(node))
  }

  #planDiskFault(
    { disk }: SimNode,
    faults: readonly ('crash-before' | 'crash-after' | 'IO' | 'FULL')[],
  ): void {
    const { prng } = this.#world
    disk.faultAt(disk.counts.operations + prng.below(OPERATIONS_AHEAD), prng.pick(faults))
  }

  #partition(): void {
    const { prng, network, nodes } = this.#world
    const addresses = prng.shuffle(nodes.map(({ name }) => `mem://${name}`))
    const half = addresses.splice(0, prng.between(1, addresses.length - 1))
    const isOneWay = prng.chance(0.3)
    const each = (action: (from: string, to: string) => void): void => {
      for (const a of half) {
        for (const b of addresses) {
          action(a, b)
          if (!isOneWay) action(b, a)
        }
      }
    }
    each((from, to) => network.cut(from, to))
    this.#world.after(prng.between(SECOND_US, PARTITION_US_MAX), () => {
      each((from, to) => network.heal(from, to))
    })
  }

  #reset(node: SimNode): void {
    const { network, nodes } = this.#world
    for (const other of nodes) network.reset(`mem://${node.name}`, `mem://${other.name}`)
  }

  /** One that is up, and correct up to now. */
  #pickMirror(): SimNode | undefined {
    const nodes = this.#world.prng.shuffle(this.#world.nodes)
    return nodes.find((node) => node.mirror && node.isUp && !this.#world.isLiar(node))
  }

  #restore(node: SimNode | undefined): void {
    if (node?.hasBackup === true) this.#world.restore(node)
    else node?.backUp()
  }

  #setClock(node: SimNode): void {
    const { prng } = this.#world
    const size = prng.below(this.#mix.skewSMax + 1) * SECOND_US
    node.skewUs = prng.chance(0.2) ? 0 : prng.chance(0.5) ? size : -size
  }

  #weather(node: SimNode): void {
    const { prng, network } = this.#world
    const other = prng.pick(this.#world.nodes)
    if (other === node) return
    const bad = { latencyUs: 300_000, jitterUs: 200_000, bytesPerSecond: 50_000, loss: 0.1 }
    network.setLink(`mem://${node.name}`, `mem://${other.name}`, bad)
    this.#world.after(prng.below(PARTITION_US_MAX), () => {
      const good = prng.chance(0.5) ? LAN : WAN
      network.setLink(`mem://${node.name}`, `mem://${other.name}`, good)
    })
  }
}
