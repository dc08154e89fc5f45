/**
 * Intruders at the doors of routers and mirrors: now and then each of them does its worst.
 *
 * @module
 */
import { encodeCertChain } from '@longshore/capsule'
import { createAdChain, createAuthority, Intruder, type SimNode } from '@longshore/engine/testing'
import { EPOCH_S, type World } from '../world.ts'

const PAUSE_US_MAX = 3_000_000

export class Intrusion {
  readonly #world: World
  #isOver = false

  constructor(world: World, victims: readonly SimNode[]) {
    this.#world = world
    for (const [i, victim] of victims.entries()) this.#plan(new Intruder(world, i, victim))
  }

  stop(): void {
    this.#isOver = true
  }

  #plan(intruder: Intruder): void {
    const { prng } = this.#world
    this.#world.after(prng.below(PAUSE_US_MAX), () => {
      if (this.#isOver) return
      if (intruder.enter()) this.#harm(intruder)
      this.#plan(intruder)
    })
  }

  #harm(intruder: Intruder): void {
    const { prng, truths, writers, nowUs } = this.#world
    const truth = prng.pick(truths)
    switch (prng.below(3)) {
      case 0: {
        // A chain that leads to a correct mirror, to nobody, or from another owner.
        const someone = prng.pick(this.#world.nodes).identity.name
        const stranger = createAuthority(prng, 'person')
        const owner = prng.pick(writers).owner
        const chain = prng.pick([
          null,
          encodeCertChain(createAdChain(prng, stranger, someone)),
          encodeCertChain(createAdChain(prng, owner, someone)),
        ])
        intruder.forge(truth.capsule, chain, EPOCH_S + Math.floor(nowUs / 1e6))
        return
      }
      case 1:
        intruder.babble()
        return
      default:
        intruder.flood(truth.name)
    }
  }
}
