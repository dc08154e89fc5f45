/**
 * A session that this node is opening: its first packet is sent until somebody answers, or until
 * it is too late.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  type LongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import type { Emit, SessionId } from './events.ts'
import { Initiator, type InitiatorStart, OFFER } from './handshake.ts'
import type { SessionLimits } from './limits.ts'
import type { RetryPacket, UnsupportedPacket } from './packet.ts'

/** Responders that may ask for a cookie: for a capsule another one may answer each time. */
const COOKIES_MAX = 8

export class Opening {
  readonly id: SessionId
  readonly index: number
  readonly target: CapsuleName
  readonly initiator: Initiator
  readonly #limits: SessionLimits
  readonly #emit: Emit
  readonly #endUs: number
  #sendUs = 0
  #sentCount = 0
  #cookieCount = 0
  /** Why the last reply was refused: says more than that nobody answered. */
  refusal: LongshoreError | undefined

  constructor(
    id: SessionId,
    start: InitiatorStart,
    limits: SessionLimits,
    emit: Emit,
    nowUs: number,
  ) {
    this.id = id
    this.index = start.index
    this.target = start.target
    this.initiator = new Initiator(start)
    this.#limits = limits
    this.#emit = emit
    this.#endUs = nowUs + limits.handshakeUs
    this.send(nowUs)
  }

  get dueUs(): number {
    return Math.min(this.#endUs, this.#sendUs)
  }

  send(nowUs: number): void {
    const { handshakeRetryUs, retransmitMaxUs } = this.#limits
    this.#sendUs = nowUs + Math.min(handshakeRetryUs * 2 ** this.#sentCount++, retransmitMaxUs)
    const { packet } = this.initiator
    this.#emit({ type: 'datagram', destination: this.target, payload: packet, isBulk: false })
  }

  retry({ ephemeral, cookie }: RetryPacket, nowUs: number): void {
    if (!bytesEqual(ephemeral, this.initiator.ephemeral)) return
    if (this.#cookieCount++ >= COOKIES_MAX) return
    this.initiator.useCookie(cookie)
    this.send(nowUs)
  }

  /** True if the responder really has nothing that we speak; a forged list would strip it. */
  isUnsupported({ ephemeral, offer }: UnsupportedPacket): boolean {
    if (!bytesEqual(ephemeral, this.initiator.ephemeral)) return false
    const isOffered = (list: 'versions' | 'suites'): boolean =>
      OFFER[list].some((value) => offer[list].includes(value))
    return !isOffered('versions') || !isOffered('suites')
  }

  /** The reason if it is too late; else sends again if it is time. */
  tick(nowUs: number): LongshoreError | undefined {
    if (nowUs >= this.#endUs) {
      return this.refusal ?? new UnavailableError('PEER_LOST', 'nobody answered the handshake')
    }
    if (nowUs >= this.#sendUs) this.send(nowUs)
    return undefined
  }
}
