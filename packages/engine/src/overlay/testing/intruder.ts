/**
 * A neighbor that means harm: advertises what it may not, sends bytes that mean nothing, and more
 * of them than anybody needs. It has real keys and a real connection.
 *
 * @module
 */
import {
  advertisedNamesDigest,
  asCapsuleName,
  type CapsuleName,
  certHash,
  decodeCertChain,
  type SignedManifest,
  signAdvertisement,
  signRtCert,
} from '@longshore/capsule'
import type { Prng } from '../../testing/prng.ts'
import type { SimNetwork } from '../../testing/sim-network.ts'
import type { SimNode } from '../../testing/sim-node.ts'
import {
  advertiseValue,
  encodeControl,
  lookupValue,
  namesValue,
  type RouteGroup,
} from '../control-frame.ts'
import { ADVERTISE, dataHead, LOOKUP, SUBSCRIBE } from '../frame.ts'
import { RawPeer } from './raw-peer.ts'

const HOUR_S = 3600
const HOPS = 32
const FLOOD_FRAMES_MAX = 200
const FLOOD_BYTES_MAX = 16_384
const GARBAGE_BYTES_MAX = 70_000

export class Intruder {
  readonly #prng: Prng
  readonly #peer: RawPeer
  readonly #victim: Pick<SimNode, 'ticket' | 'identity'>
  #hasSaidHello = false

  constructor(
    world: { readonly prng: Prng; readonly network: SimNetwork },
    number: number,
    victim: Pick<SimNode, 'ticket' | 'identity'>,
  ) {
    this.#prng = world.prng.child()
    this.#peer = new RawPeer(world, number)
    this.#victim = victim
  }

  /** Dials if it has no connection, and says hello on a new one. True when it is heard. */
  enter(): boolean {
    const peer = this.#peer
    if (peer.isClosed || peer.connection === -1) {
      this.#hasSaidHello = false
      peer.isClosed = false
      peer.connection = -1
      peer.frames.length = 0
      peer.dial(this.#victim)
      return false
    }
    if (!this.#hasSaidHello) peer.write(peer.hello())
    this.#hasSaidHello = true
    return peer.frames.length > 0
  }

  /** Claims to serve a capsule, with a chain that is for somebody else, or with none. */
  forge(capsule: SignedManifest, chain: Uint8Array | null, nowS: number): void {
    const { name: router } = this.#victim.identity
    const { name: advertiser, identity, manifest, exporter } = this.#peer
    const leaf = chain === null ? undefined : decodeCertChain(chain).certs[0]
    const adcert = leaf === undefined ? null : certHash(leaf)
    const times = { notBeforeS: nowS - 60, notAfterS: nowS + HOUR_S }
    const terms = { issuer: advertiser, subject: router, parent: null, adcert, depth: 7 }
    const rest = { serial: this.#prng.bytes(16), revocation: null, stalenessS: 0 }
    const rtCert = signRtCert({ ...terms, ...times, ...rest }, identity)
    const group: RouteGroup = {
      ...{ chain, membership: null, rtCerts: [rtCert], rtManifests: [manifest.signed] },
      names: [{ signedManifest: capsule.signed, costUs: 0 }],
    }
    const { nonce } = this.#peer.theirHello
    const names = advertisedNamesDigest([capsule.name])
    const claim = { advertiser, router, exporter, nonce, names, expiresS: nowS + 600 }
    const statement = signAdvertisement(claim, identity)
    const value = advertiseValue({ request: 1, statement, groups: [group] })
    this.#peer.write(encodeControl(ADVERTISE, value))
  }

  /** Bytes that mean nothing, or a good frame with a few bits changed. */
  babble(): void {
    const prng = this.#prng
    if (prng.chance(0.5)) {
      this.#peer.write(prng.bytes(prng.between(1, GARBAGE_BYTES_MAX)))
      return
    }
    const frame = prng.pick([this.#peer.hello(), this.#lookup(), this.#data(this.#name())])
    for (let i = 0; i < 3; i++) {
      const at = prng.below(frame.length)
      frame[at] = (frame[at] as number) ^ (1 << prng.below(8))
    }
    this.#peer.write(frame)
  }

  /** Questions, subscriptions and data, to names that exist and names that do not. */
  flood(target: CapsuleName): void {
    const prng = this.#prng
    const frames: Uint8Array[] = []
    for (let i = prng.below(FLOOD_FRAMES_MAX); i >= 0; i--) {
      const name = prng.chance(0.5) ? target : this.#name()
      const subscribe = (): Uint8Array => encodeControl(SUBSCRIBE, namesValue([name]))
      frames.push(prng.pick([() => this.#lookup(), subscribe, () => this.#data(name)])())
    }
    this.#peer.write(...frames)
  }

  #name(): CapsuleName {
    return asCapsuleName(this.#prng.bytes(32))
  }

  #lookup(): Uint8Array {
    const request = this.#prng.uint32()
    return encodeControl(LOOKUP, lookupValue({ request, name: this.#name(), hopsLeft: 8 }))
  }

  #data(destination: CapsuleName): Uint8Array {
    const payload = this.#prng.bytes(this.#prng.below(FLOOD_BYTES_MAX))
    const head = dataHead(destination, this.#peer.name, 0, HOPS, payload.length)
    const frame = new Uint8Array(head.length + payload.length)
    frame.set(head)
    frame.set(payload, head.length)
    return frame
  }
}
