/**
 * A world of overlay nodes under one seed: principals, certificates, and a simulated network
 * between them in virtual time.
 *
 * @module
 */
import {
  assert,
  type CapsuleName,
  type CertChain,
  encodeCertChain,
  formatName,
  manifestKey,
  openManifest,
  type Policy,
  type PrincipalType,
  type SignedManifest,
  type Ticket,
} from '@longshore/capsule'
import type { NodeIdentity } from '../node/principal.ts'
import type { OverlayLimits } from '../overlay/limits.ts'
import { Overlay, type OverlayOptions } from '../overlay/overlay.ts'
import type { Membership, OverlayEffect, OverlayEvent } from '../overlay/overlay-events.ts'
import {
  type Authority,
  createAdChain,
  createAuthority,
  createMembership,
  createOwnedCapsule,
} from './authorities.ts'
import { createNodeIdentity } from './node-identity.ts'
import type { Prng } from './prng.ts'
import { LAN, type LinkConditions, type SimEndpoint, SimNetwork } from './sim-network.ts'
import { EPOCH_US, SimRuntime } from './sim-runtime.ts'

/** Nobody needs that many steps; more is a world that never comes to rest. */
const STEPS_MAX = 5_000_000

export class OverlayWorld {
  readonly prng: Prng
  readonly network: SimNetwork
  readonly nodes: WorldNode[] = []
  /** Sees every event before its node does. */
  onEvent: ((node: WorldNode, event: OverlayEvent) => void) | undefined

  constructor(prng: Prng, conditions: LinkConditions = LAN) {
    this.prng = prng
    this.network = new SimNetwork(prng.child(), conditions)
  }

  get nowS(): number {
    return Math.floor((EPOCH_US + this.network.queue.nowUs) / 1_000_000)
  }

  authority(type: PrincipalType): Authority {
    return createAuthority(this.prng, type)
  }

  /** A capsule of this owner, public and without limits unless `policy` says so. */
  capsule(owner: Authority, policy: Partial<Policy> = {}): SignedManifest {
    return createOwnedCapsule(this.prng, owner, policy).signed
  }

  /** The owner lets a node serve and advertise all of its capsules. */
  adChain(
    owner: Authority,
    node: CapsuleName,
    changes?: Parameters<typeof createAdChain>[3],
  ): CertChain {
    return createAdChain(this.prng, owner, node, changes)
  }

  membership(domain: Authority, node: CapsuleName): Membership {
    return createMembership(this.prng, domain, node)
  }

  node(options: NodeOptions = {}): WorldNode {
    const node = new WorldNode(this, this.prng.child(), this.nodes.length, options)
    this.nodes.push(node)
    return node
  }

  router(domain?: Authority, limits: Partial<OverlayLimits> = {}): WorldNode {
    return this.node({ isRouter: true, limits, ...(domain === undefined ? {} : { domain }) })
  }

  /** Lets time pass. */
  run(ms: number): void {
    const endUs = this.network.queue.nowUs + ms * 1000
    for (let steps = 0; (this.network.queue.nextUs ?? endUs) < endUs; steps++) {
      assert(steps < STEPS_MAX, 'the world comes to rest')
      this.network.queue.step()
    }
    this.network.queue.runUntil(endUs)
  }
}

export interface NodeOptions {
  readonly isRouter?: boolean
  readonly domain?: Authority
  readonly limits?: Partial<OverlayLimits>
  readonly heldEvidence?: NonNullable<OverlayOptions['heldEvidence']>
}

type EffectOf<TType extends OverlayEffect['type'], TEffect = OverlayEffect> = TEffect extends {
  readonly type: infer TTypes
}
  ? TType extends TTypes
    ? TEffect
    : never
  : never

export class WorldNode {
  readonly address: string
  readonly name: CapsuleName
  readonly manifest: SignedManifest
  readonly identity: NodeIdentity
  readonly runtime: SimRuntime
  /** Everything that was not for the network, oldest first. */
  readonly seen: OverlayEffect[] = []
  readonly #world: OverlayWorld
  readonly #overlay: Overlay
  readonly #endpoint: SimEndpoint
  #isDead = false

  constructor(world: OverlayWorld, prng: Prng, number: number, options: NodeOptions) {
    this.#world = world
    this.address = `mem://node-${number}`
    this.runtime = new SimRuntime(prng.child())
    const startUs = this.runtime.timeUs
    const { queue } = world.network
    this.runtime.nowUs = () => startUs + queue.nowUs
    this.identity = createNodeIdentity(prng)
    this.manifest = openManifest(this.identity.signedManifest)
    const { name, manifest } = this.manifest
    this.name = name
    const { isRouter = false, domain, limits = {}, heldEvidence } = options
    this.#overlay = new Overlay({
      ...{ identity: this.identity, roles: { router: isRouter }, runtime: this.runtime },
      ...{ listen: [this.address], limits },
      ...(domain === undefined ? {} : { domain: world.membership(domain, name) }),
      ...(heldEvidence === undefined ? {} : { heldEvidence }),
    })
    const tlsKey = manifestKey(manifest, 'tls').ed25519
    this.#endpoint = world.network.attach(this.address, tlsKey, (event) => this.step(event))
    this.step({ type: 'tick' })
  }

  get ticket(): Ticket {
    const tlsKey = manifestKey(this.manifest.manifest, 'tls').ed25519
    return { name: this.name, tlsKey, addresses: [this.address] }
  }

  get overlay(): Overlay {
    return this.#overlay
  }

  step(event: OverlayEvent): void {
    if (this.#isDead) return
    this.#world.onEvent?.(this, event)
    for (const effect of this.#overlay.step(event)) this.#carryOut(effect)
  }

  #carryOut(effect: OverlayEffect): void {
    const { queue } = this.#world.network
    const startUs = this.runtime.nowUs() - queue.nowUs
    switch (effect.type) {
      case 'dial':
      case 'write':
      case 'close':
      case 'pause':
      case 'resume':
        this.#endpoint.apply(effect)
        return
      case 'wake':
        // An earlier one that was replaced does no harm: nothing is due then.
        queue.schedule(effect.atUs - startUs, () => this.step({ type: 'tick' }))
        return
      default:
        this.seen.push(effect)
    }
  }

  join(...others: readonly WorldNode[]): void {
    for (const { ticket } of others) this.step({ type: 'join', ticket })
  }

  advertise(capsule: SignedManifest, chain: CertChain): void {
    const { name, signed } = capsule
    this.step({ type: 'advertise', name, capsule: signed, chain: encodeCertChain(chain) })
  }

  send(destination: CapsuleName, text: string, isBulk = false): void {
    const payload = new TextEncoder().encode(text)
    this.step({ type: 'send', destination, source: this.name, payload, isBulk })
  }

  /** Texts that were delivered, in order. */
  get received(): string[] {
    return this.of('deliver').map(({ payload }) => new TextDecoder().decode(payload))
  }

  of<TType extends OverlayEffect['type']>(type: TType): EffectOf<TType>[] {
    return this.seen.filter((effect) => effect.type === type) as EffectOf<TType>[]
  }

  forget(): void {
    this.seen.length = 0
  }

  /** Stops for ever. */
  die(how: 'reset' | 'silent' = 'reset'): void {
    this.#isDead = true
    this.#endpoint.detach(how)
  }

  toString(): string {
    return `${this.address} ${formatName(this.name)}`
  }
}
