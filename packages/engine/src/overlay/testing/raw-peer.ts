/**
 * A node that says what a test wants it to say, frame by frame, and reads what comes back.
 *
 * It has real keys and a real connection, so only its words are wrong.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  decodeCbor,
  manifestKey,
  type PublicKey,
  SEED_BYTES,
  type SignedManifest,
  type Signer,
} from '@longshore/capsule'
import { createNodePrincipal } from '../../node/node-keys.ts'
import { readUint32 } from '../../store/disk/big-endian.ts'
import type { OverlayWorld, WorldNode } from '../../testing/overlay-world.ts'
import type { SimEndpoint } from '../../testing/sim-network.ts'
import type { TransportEvent } from '../../transport/transport.ts'
import {
  encodeControl,
  Fields,
  type Hello,
  helloValue,
  readGoodbye,
  readHello,
} from '../control-frame.ts'
import { AT_TYPE, FRAME_HEAD_BYTES, GOODBYE, HELLO, PING, PONG, pingFrame } from '../frame.ts'
import { FrameReader } from '../frame-reader.ts'
import { FRAME_BYTES_MAX } from '../limits.ts'

export class RawPeer {
  readonly address: string
  readonly manifest: SignedManifest
  readonly identity: Signer
  /** Frames that came, without pings and pongs. */
  readonly frames: Uint8Array[] = []
  exporter: Uint8Array = new Uint8Array(0)
  connection = -1
  isClosed = false
  /** False: lies still like a machine that was switched off. */
  answersPings = true
  readonly tlsKey: PublicKey
  readonly #endpoint: SimEndpoint
  readonly #reader = new FrameReader(FRAME_BYTES_MAX)
  #lastDial = 0

  constructor(world: Pick<OverlayWorld, 'prng' | 'network'>, number: number, tlsKey?: PublicKey) {
    const { prng } = world
    this.address = `mem://raw-${number}`
    const facts = { nonce: prng.bytes(16), timeUs: 0 }
    const { node, seeds } = createNodePrincipal(prng.bytes(SEED_BYTES), facts)
    this.manifest = node
    this.identity = createSigner(seeds.identity)
    this.tlsKey = tlsKey ?? manifestKey(node.manifest, 'tls').ed25519
    this.#endpoint = world.network.attach(this.address, this.tlsKey, (event) => this.#see(event))
  }

  get name(): CapsuleName {
    return this.manifest.name
  }

  dial(node: Pick<WorldNode, 'ticket'>): void {
    const { addresses, tlsKey } = node.ticket
    const [address = ''] = addresses
    this.#endpoint.apply({ type: 'dial', dial: ++this.#lastDial, address, tlsKey })
  }

  write(...chunks: Uint8Array[]): void {
    this.#endpoint.apply({ type: 'write', connection: this.connection, chunks })
  }

  /** Stops reading, so that the other side's queue grows. */
  pause(): void {
    this.#endpoint.apply({ type: 'pause', connection: this.connection })
  }

  resume(): void {
    this.#endpoint.apply({ type: 'resume', connection: this.connection })
  }

  hello(changes: Partial<Hello> = {}): Uint8Array {
    const hello: Hello = {
      ...{ versionMin: 1, versionMax: 1, nonce: new Uint8Array(32).fill(7) },
      ...{ signedManifest: this.manifest.signed, isRouter: false, membership: null },
      addresses: [],
      ...changes,
    }
    return encodeControl(HELLO, helloValue(hello))
  }

  /** Dials and says a good hello. */
  connect(world: OverlayWorld, node: WorldNode, changes: Partial<Hello> = {}): void {
    this.dial(node)
    world.run(10)
    this.write(this.hello(changes))
    world.run(10)
  }

  ofType(type: number): Uint8Array[] {
    return this.frames.filter((frame) => frame[AT_TYPE] === type)
  }

  /** Code with which the other side said goodbye. */
  get goodbye(): string | null | undefined {
    const frame = this.ofType(GOODBYE)[0]
    if (frame === undefined) return undefined
    return readGoodbye(Fields.ofFrame(frame, 0, frame.length, 2)).code
  }

  /** What the other side said first. */
  get theirHello(): Hello {
    const [frame] = this.ofType(HELLO)
    if (frame === undefined) throw new Error('no hello came')
    return readHello(Fields.ofFrame(frame, 0, frame.length, 7))
  }

  /** The last frame of this type as CBOR. */
  answer(type: number): ReturnType<typeof decodeCbor> {
    const frame = this.ofType(type).at(-1)
    if (frame === undefined) throw new Error(`no frame of type ${type} came`)
    return decodeCbor(frame.subarray(FRAME_HEAD_BYTES))
  }

  #see(event: TransportEvent): void {
    if (event.type === 'connected') {
      this.connection = event.connection
      this.exporter = event.exporter
    } else if (event.type === 'received') {
      this.#reader.push(event.bytes, (bytes, start, end) => {
        this.#frame(bytes.slice(start, end))
        return true
      })
    } else if (event.type === 'closed' || event.type === 'dial-failed') {
      this.isClosed = true
    }
  }

  #frame(frame: Uint8Array): void {
    const type = frame[AT_TYPE]
    if (type === PING && this.answersPings) {
      this.write(pingFrame(PONG, readUint32(frame, FRAME_HEAD_BYTES)))
    }
    if (type !== PING && type !== PONG) this.frames.push(frame)
  }
}
