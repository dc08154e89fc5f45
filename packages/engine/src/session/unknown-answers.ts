/**
 * Answers to packets of sessions that are not known here, perhaps of an earlier life of this node:
 * shorter than what they answer, and a bounded number a second. Rule SN27 of docs/spec/session.md.
 *
 * @module
 */
import { AEAD_TAG_BYTES } from '@longshore/capsule'
import { readUint32 } from '../store/disk/big-endian.ts'
import { encodeUnknown, SEALED_HEADER_BYTES } from './packet.ts'

const SECOND_US = 1_000_000

export class UnknownAnswers {
  readonly #perSecondMax: number
  #second = 0
  #count = 0

  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax
  }

  /** What to answer to a sealed packet; undefined for one that is none, and beyond the bound. */
  answer(packet: Uint8Array, nowUs: number): Uint8Array | undefined {
    if (packet.length < SEALED_HEADER_BYTES + AEAD_TAG_BYTES) return undefined
    const second = Math.floor(nowUs / SECOND_US)
    if (second !== this.#second) this.#count = 0
    this.#second = second
    if (this.#count >= this.#perSecondMax) return undefined
    this.#count++
    const tag = packet.subarray(packet.length - AEAD_TAG_BYTES)
    return encodeUnknown({ receiver: readUint32(packet, 1), tag })
  }
}
