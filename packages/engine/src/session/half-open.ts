/**
 * Handshakes that a node has answered and whose initiators have not finished: bounded in number
 * and bytes, and cheap when there are many.
 *
 * From some number on, an initiator must first return a cookie, which shows that it receives at
 * the name that it claims; until then nothing is computed and nothing kept for it. Newcomers never
 * push out those who came before. Rules SN3 and SN23 of docs/spec/session.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  concatBytes,
  formatHex,
  HASH_BYTES,
} from '@longshore/capsule'
import { hmacSha256 } from '@longshore/capsule/session-crypto'
import { writeUint64 } from '../store/disk/big-endian.ts'
import type { Acceptance } from './events.ts'
import { OFFER, type Responder, SUITE, VERSION } from './handshake.ts'
import type { SessionLimits } from './limits.ts'
import { COOKIE_BYTES, encodeRetry, encodeUnsupported, type InitPacket } from './packet.ts'

const COOKIE_PERIOD_US = 60_000_000

export interface HalfOpen {
  readonly index: number
  readonly source: CapsuleName
  readonly target: CapsuleName
  readonly acceptance: Acceptance
  readonly responder: Responder
  /** The initiator's packet, to know it again. */
  readonly packet: Uint8Array
  readonly initiatorIndex: number
  readonly endUs: number
}

export class HalfOpenTable {
  readonly #limits: SessionLimits
  readonly #cookieSecret: Uint8Array
  /** In the order in which they were answered, so the first ends first. */
  readonly #entries = new Map<number, HalfOpen>()
  /** By the name and index of the initiator. */
  readonly #byInitiator = new Map<string, HalfOpen>()
  readonly #countBySource = new Map<string, number>()
  #bytes = 0

  /** `cookieSecret` has 32 random bytes. */
  constructor(limits: SessionLimits, cookieSecret: Uint8Array) {
    this.#limits = limits
    this.#cookieSecret = cookieSecret
  }

  get size(): number {
    return this.#entries.size
  }

  get(index: number): HalfOpen | undefined {
    return this.#entries.get(index)
  }

  /** The handshake that this packet began, if it came before. */
  find(source: CapsuleName, init: InitPacket, packet: Uint8Array): HalfOpen | undefined {
    const found = this.#byInitiator.get(initiatorKey(source, init.index))
    return found !== undefined && bytesEqual(found.packet, packet) ? found : undefined
  }

  /** The answer that costs next to nothing, if there is one: else a handshake begins. */
  cheapAnswer(
    source: CapsuleName,
    init: InitPacket,
    packet: Uint8Array,
    nowUs: number,
  ): Uint8Array | undefined {
    const known = this.find(source, init, packet)
    if (known !== undefined) return known.responder.reply
    const { ephemeral, index: receiver, offer } = init
    if (!offer.versions.includes(VERSION) || !offer.suites.includes(SUITE)) {
      return encodeUnsupported({ receiver, ephemeral, offer: OFFER })
    }
    if (!this.wantsCookie || this.isCookieOf(source, init, nowUs)) return undefined
    const cookie = this.createCookie(source, init, nowUs)
    return encodeRetry({ receiver, ephemeral, cookie })
  }

  hasRoom(source: CapsuleName): boolean {
    const { halfOpenMax, halfOpenPerPeerMax, halfOpenBytesMax } = this.#limits
    return (
      this.#entries.size < halfOpenMax &&
      this.#bytes < halfOpenBytesMax &&
      (this.#countBySource.get(formatHex(source)) ?? 0) < halfOpenPerPeerMax
    )
  }

  get wantsCookie(): boolean {
    return this.#entries.size >= this.#limits.cookieFromHalfOpen
  }

  add(entry: HalfOpen): void {
    this.#entries.set(entry.index, entry)
    this.#byInitiator.set(initiatorKey(entry.source, entry.initiatorIndex), entry)
    const source = formatHex(entry.source)
    this.#countBySource.set(source, (this.#countBySource.get(source) ?? 0) + 1)
    this.#bytes += entry.responder.reply.length
  }

  remove(entry: HalfOpen): void {
    if (!this.#entries.delete(entry.index)) return
    // With a cookie the same initiator has begun a second one, which may have taken its place.
    const key = initiatorKey(entry.source, entry.initiatorIndex)
    if (this.#byInitiator.get(key) === entry) this.#byInitiator.delete(key)
    const source = formatHex(entry.source)
    const count = (this.#countBySource.get(source) ?? 0) - 1
    if (count > 0) this.#countBySource.set(source, count)
    else this.#countBySource.delete(source)
    this.#bytes -= entry.responder.reply.length
  }

  /** When the oldest one ends. */
  get dueUs(): number {
    for (const { endUs } of this.#entries.values()) return endUs
    return Number.POSITIVE_INFINITY
  }

  tick(nowUs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.endUs > nowUs) return
      this.remove(entry)
    }
  }

  createCookie(source: CapsuleName, init: InitPacket, nowUs: number): Uint8Array {
    return this.#cookieOf(source, init, Math.floor(nowUs / COOKIE_PERIOD_US))
  }

  /** A cookie is good in the minute that it was made in and the next one. */
  isCookieOf(source: CapsuleName, init: InitPacket, nowUs: number): boolean {
    if (init.cookie.length !== COOKIE_BYTES) return false
    const period = Math.floor(nowUs / COOKIE_PERIOD_US)
    return [period, Math.max(0, period - 1)].some((candidate) =>
      bytesEqual(init.cookie, this.#cookieOf(source, init, candidate)),
    )
  }

  #cookieOf(source: CapsuleName, { ephemeral }: InitPacket, period: number): Uint8Array {
    const time = new Uint8Array(8)
    writeUint64(time, 0, period)
    const message = concatBytes(source, ephemeral, time)
    return hmacSha256(this.#cookieSecret, message).slice(0, COOKIE_BYTES)
  }
}

/** Bytes of the secret behind the cookies. */
export const COOKIE_SECRET_BYTES: number = HASH_BYTES

function initiatorKey(source: CapsuleName, index: number): string {
  return `${formatHex(source)} ${index}`
}
