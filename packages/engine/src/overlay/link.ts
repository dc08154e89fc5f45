/**
 * One connection to another node, from the moment it stands: what was received and not yet cut
 * into frames, what waits to be sent, the labels of both directions, and who is at the other end.
 *
 * It decides nothing; `links.ts` does. Rules OV1 to OV8 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  assert,
  type CapsuleName,
  type ErrorCode,
  type PublicKey,
  type SignedManifest,
} from '@longshore/capsule'
import type { ConnectionId } from '../transport/transport.ts'
import { encodeControl, goodbyeValue, type MembershipClaim } from './control-frame.ts'
import { GOODBYE, LABELLED_HEAD_BYTES, labelFrame, writeLabelledHead } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import type { Join } from './joins.ts'
import { InLabels, type OutLabel, OutLabels } from './labels.ts'
import type { Machine } from './machine.ts'
import { SendQueue } from './send-queue.ts'
import type { Timer } from './timers.ts'

/** Who is at the other end: has shown its manifest and holds the TLS key that it lists. */
export interface Peer {
  readonly name: CapsuleName
  readonly key: string
  readonly manifest: SignedManifest
  readonly isRouter: boolean
  /** Proven; undefined if it claims none. */
  readonly domain: CapsuleName | undefined
  /** Last second in which the membership holds. */
  readonly domainNotAfterS: number
  readonly membership: MembershipClaim | null
  /** What our advertisements over this link must repeat. */
  readonly nonce: Uint8Array
  readonly addresses: readonly string[]
}

/** Small payloads are copied behind their head: one piece costs less than two. */
const JOINED_BYTES_MAX = 4096
const SMOOTHING = 8

export class Link {
  readonly connection: ConnectionId
  /** Whose dial it answers; undefined if the other side dialled. */
  readonly join: Join | undefined
  readonly peerTlsKey: PublicKey
  readonly exporter: Uint8Array
  readonly remote: string
  /** What the other side's advertisements over this link must repeat. */
  readonly ownNonce: Uint8Array
  readonly reader: FrameReader
  readonly out: SendQueue
  readonly outLabels: OutLabels
  readonly inLabels: InLabels
  readonly #machine: Machine
  /** Undefined until its hello was accepted. */
  peer: Peer | undefined
  isDirty = false
  /** Nothing more is read or sent. */
  isClosed = false
  /** Why we closed it. */
  closeReason: string | undefined
  receivedFrames = 0
  receivedBytes = 0
  sentBytes = 0
  /** Smoothed round trip; undefined before the first measurement. */
  rttUs: number | undefined
  /** The cost by which routes were last chosen: small changes do not move them. */
  chosenCostUs: number
  /** When its cost was last told to other routers. */
  costsToldUs: number | undefined
  /** Questions of the other side that were passed on. */
  openLookups = 0
  pingNumber = 0
  pingSentUs: number | undefined
  /** The oldest ping without an answer. */
  unansweredUs: number | undefined
  timer: Timer | undefined
  sweepTimer: Timer | undefined
  /** Names that may be verified for it now; below zero it is not read from. */
  #admissions: number
  #admissionsSinceUs: number
  #isPaused = false
  /** Budget for refusals in the second that began at `refusalsSinceUs`. */
  refusals = 0
  refusalsSinceUs = 0

  constructor(
    machine: Machine,
    options: {
      readonly connection: ConnectionId
      readonly join: Join | undefined
      readonly peerTlsKey: PublicKey
      readonly exporter: Uint8Array
      readonly remote: string
    },
    onDrop: (link: Link, frame: Uint8Array) => void,
  ) {
    const { limits } = machine
    this.#machine = machine
    this.connection = options.connection
    this.join = options.join
    this.peerTlsKey = options.peerTlsKey
    this.exporter = options.exporter
    this.remote = options.remote
    this.ownNonce = machine.runtime.randomBytes(32)
    this.reader = new FrameReader(limits.helloBytesMax, machine.spares)
    this.out = new SendQueue(limits, (frame) => onDrop(this, frame), machine.spares)
    this.outLabels = new OutLabels(limits.labelsMax)
    this.inLabels = new InLabels(limits.labelsMax)
    this.chosenCostUs = limits.unmeasuredUs
    this.#admissions = limits.admissionBurst
    this.#admissionsSinceUs = machine.nowUs
  }

  /** Nobody acts on a link before it is up. */
  get up(): Peer {
    assert(this.peer !== undefined, 'the link is up')
    return this.peer
  }

  /** The domain of the peer, as long as its membership holds. */
  get domain(): CapsuleName | undefined {
    const { domain, domainNotAfterS } = this.up
    return domainNotAfterS >= this.#machine.nowS ? domain : undefined
  }

  get costUs(): number {
    return this.rttUs ?? this.#machine.limits.unmeasuredUs
  }

  send(frame: Uint8Array): void {
    if (this.isClosed) return
    this.out.send(frame)
    this.#machine.markDirty(this)
  }

  /** A frame that lies in `bytes[start, end)`. */
  sendWithin(bytes: Uint8Array, start: number, end: number): void {
    if (this.isClosed) return
    this.out.sendWithin(bytes, start, end)
    if (!this.isDirty) this.#machine.markDirty(this)
  }

  /** A frame whose payload somebody else made. */
  sendParts(head: Uint8Array, payload: Uint8Array): void {
    if (payload.length <= JOINED_BYTES_MAX) {
      const frame = new Uint8Array(head.length + payload.length)
      frame.set(head)
      frame.set(payload, head.length)
      this.send(frame)
      return
    }
    if (this.isClosed) return
    this.out.send(head, payload)
    this.#machine.markDirty(this)
  }

  /** The label for a pair, announced to the other side if it is new. */
  labelFor(pair: string, destination: CapsuleName, source: CapsuleName): OutLabel | undefined {
    return this.outLabels.of(pair, (label) => this.send(labelFrame(label, destination, source)))
  }

  sendLabelled(out: OutLabel, flags: number, hops: number, payload: Uint8Array): void {
    out.wasUsed = true
    const head = new Uint8Array(LABELLED_HEAD_BYTES)
    writeLabelledHead(head, 0, out.label, flags, hops, payload.length)
    this.sendParts(head, payload)
  }

  /** Names were verified for this link. One that wants too many waits, and nobody else does. */
  chargeAdmissions(count: number): void {
    const { nowUs, limits } = this.#machine
    const elapsedUs = Math.max(0, nowUs - this.#admissionsSinceUs)
    const earned = (elapsedUs * limits.admissionsPerSecond) / 1_000_000
    this.#admissions = Math.min(limits.admissionBurst, this.#admissions + earned) - count
    this.#admissionsSinceUs = nowUs
    if (this.#admissions >= 0 || this.#isPaused) return
    this.#isPaused = true
    this.#machine.emit({ type: 'pause', connection: this.connection })
    this.#resumeLater()
  }

  #resumeLater(): void {
    const { nowUs, limits, timers } = this.#machine
    const waitUs = Math.ceil((-this.#admissions * 1_000_000) / limits.admissionsPerSecond)
    timers.schedule(nowUs + waitUs, () => {
      if (this.isClosed) return
      // What had been received before it was paused may have cost more meanwhile.
      this.chargeAdmissions(0)
      if (this.#admissions < 0) {
        this.#resumeLater()
        return
      }
      this.#isPaused = false
      this.#machine.emit({ type: 'resume', connection: this.connection })
    })
  }

  /** A sample of the round trip time, smoothed as in RFC 6298. */
  measured(sampleUs: number): void {
    this.rttUs =
      this.rttUs === undefined
        ? sampleUs
        : Math.round(this.rttUs + (sampleUs - this.rttUs) / SMOOTHING)
  }

  /** Says why, and closes. Nothing that arrives later counts. */
  close(code: ErrorCode | null, message: string): void {
    if (this.isClosed) return
    this.out.send(encodeControl(GOODBYE, goodbyeValue({ code, message })))
    this.flush()
    this.isClosed = true
    this.closeReason = code === null ? message : `${code}: ${message}`
    this.#machine.emit({ type: 'close', connection: this.connection })
  }

  /** One write of what the transport may get now. */
  flush(): void {
    this.isDirty = false
    if (this.isClosed) return
    const chunks = this.out.take()
    if (this.out.isOverrun) {
      this.isClosed = true
      this.closeReason = 'OVERLOADED: the other side does not read'
      this.#machine.emit({ type: 'close', connection: this.connection })
      return
    }
    if (chunks.length === 0) return
    for (const chunk of chunks) this.sentBytes += chunk.length
    this.#machine.emit({ type: 'write', connection: this.connection, chunks })
  }
}
