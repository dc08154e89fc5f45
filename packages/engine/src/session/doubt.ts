/**
 * Whether the other end still knows a session.
 *
 * A node that was started anew knows nothing of the sessions that it had. It says so about a packet
 * that came for one (`unknown`), with the tag of that packet, so that nobody can who has not seen
 * one. But it has no key to prove it with, and routers see packets: what it says is a reason to
 * ask, not to believe. The session ends when three questions in quick succession have no answer,
 * and goes on with the first packet that opens. Rules SN27 and SN28 of docs/spec/session.md.
 *
 * @module
 */
import { AEAD_TAG_BYTES } from '@longshore/capsule'

/** Of the last packets: a peer that is gone acknowledges none, so few are on their way. */
const TAGS_KEPT = 16
const QUESTIONS = 3

export class Doubt {
  readonly #tags = new Uint8Array(TAGS_KEPT * AEAD_TAG_BYTES)
  #sentCount = 0
  /** Asked since nothing came; 0 without a doubt. */
  #askedCount = 0
  #intervalUs = 0
  #dueUs = Number.POSITIVE_INFINITY

  /** A sealed packet is sent. */
  sent(packet: Uint8Array): void {
    const from = packet.length - AEAD_TAG_BYTES
    const to = (this.#sentCount++ % TAGS_KEPT) * AEAD_TAG_BYTES
    for (let i = 0; i < AEAD_TAG_BYTES; i++) this.#tags[to + i] = packet[from + i] as number
  }

  /** Whether this is the tag of one of the last packets. */
  isOfPacket(tag: Uint8Array): boolean {
    const kept = Math.min(this.#sentCount, TAGS_KEPT)
    for (let place = 0; place < kept; place++) {
      const at = place * AEAD_TAG_BYTES
      let isSame = true
      for (let i = 0; i < AEAD_TAG_BYTES; i++) isSame &&= this.#tags[at + i] === tag[i]
      if (isSame) return true
    }
    return false
  }

  /** The peer may know nothing of the session. False if that is being found out already. */
  begin(intervalUs: number, nowUs: number): boolean {
    if (this.#askedCount > 0) return false
    this.#askedCount = 1
    this.#intervalUs = intervalUs
    this.#dueUs = nowUs + intervalUs
    return true
  }

  /** A packet of the peer has opened: it knows the session. */
  settled(): void {
    this.#askedCount = 0
    this.#dueUs = Number.POSITIVE_INFINITY
  }

  get dueUs(): number {
    return this.#dueUs
  }

  /** What there is to do now: ask once more, or give the peer up. */
  tick(nowUs: number): 'ask' | 'lost' | undefined {
    if (nowUs < this.#dueUs) return undefined
    if (this.#askedCount === QUESTIONS) return 'lost'
    this.#askedCount++
    this.#dueUs = nowUs + this.#intervalUs
    return 'ask'
  }
}
