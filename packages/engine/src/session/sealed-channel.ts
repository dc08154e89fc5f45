/**
 * One direction of a session: sealing and opening packets, each with a counter of its own.
 *
 *     04 | receiver 4 | counter 8 | sealed content | tag 16
 *
 * What is sealed is bound to these 13 bytes and to the full names of sender and receiver, so a
 * packet that was put into another conversation does not open. Keys follow from the counter: after
 * REKEY_PACKETS packets the next key is derived, and the one before it is forgotten a whole period
 * later. Rules SN10 to SN13 of docs/spec/session.md.
 *
 * @module
 */
import {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  assert,
  type CapsuleName,
  encodeUtf8,
  HASH_BYTES,
} from '@longshore/capsule'
import { hkdfSha256, isOpenedInPlace, sealInPlace } from '@longshore/capsule/session-crypto'
import { readUint32, readUint64, writeUint32, writeUint64 } from '../store/disk/big-endian.ts'
import { COUNTER_MAX, REKEY_PACKETS } from './limits.ts'
import { PACKET_SEALED, SEALED_HEADER_BYTES } from './packet.ts'
import { ReplayWindow } from './replay-window.ts'

const REKEY_INFO: Uint8Array = encodeUtf8('longshore-session/v1 rekey')
const NOTHING: Uint8Array = new Uint8Array(0)

function nextKey(key: Uint8Array): Uint8Array {
  return hkdfSha256(NOTHING, key, REKEY_INFO, AEAD_KEY_BYTES)
}

/** Header, sender, receiver; the header is written for each packet. */
function createAssociated(source: CapsuleName, destination: CapsuleName): Uint8Array {
  const associated = new Uint8Array(SEALED_HEADER_BYTES + 2 * HASH_BYTES)
  associated.set(source, SEALED_HEADER_BYTES)
  associated.set(destination, SEALED_HEADER_BYTES + HASH_BYTES)
  return associated
}

/** Tests make them small to reach the edges. Both ends count with the same. */
export interface ChannelLimits {
  readonly rekeyPackets: number
  readonly counterMax: number
}

export const CHANNEL_LIMITS: ChannelLimits = {
  rekeyPackets: REKEY_PACKETS,
  counterMax: COUNTER_MAX,
}

export interface ChannelEnds {
  readonly source: CapsuleName
  readonly destination: CapsuleName
  /** The index that the receiver gave to this session. */
  readonly receiver: number
}

export class SealingChannel {
  readonly #associated: Uint8Array
  readonly #receiver: number
  readonly #limits: ChannelLimits
  #key: Uint8Array
  #counter = 0

  constructor(key: Uint8Array, ends: ChannelEnds, limits: ChannelLimits = CHANNEL_LIMITS) {
    this.#key = key
    this.#associated = createAssociated(ends.source, ends.destination)
    this.#receiver = ends.receiver
    this.#limits = limits
  }

  /** No counter is left: the session must end. */
  get isExhausted(): boolean {
    return this.#counter > this.#limits.counterMax
  }

  /**
   * Completes and seals `packet` in place: its content lies between the header, which is written
   * here, and the last 16 bytes, which become the tag.
   */
  seal(packet: Uint8Array): void {
    assert(!this.isExhausted, 'a session ends before its counters do')
    const counter = this.#counter++
    if (counter > 0 && counter % this.#limits.rekeyPackets === 0) {
      const usedUp = this.#key
      this.#key = nextKey(usedUp)
      usedUp.fill(0)
    }
    packet[0] = PACKET_SEALED
    writeUint32(packet, 1, this.#receiver)
    writeUint64(packet, 5, counter)
    for (let i = 0; i < SEALED_HEADER_BYTES; i++) this.#associated[i] = packet[i] as number
    const end = packet.length - AEAD_TAG_BYTES
    sealInPlace(this.#key, counter, this.#associated, packet, SEALED_HEADER_BYTES, end)
  }
}

export class OpeningChannel {
  readonly #associated: Uint8Array
  readonly #limits: ChannelLimits
  readonly #window: ReplayWindow = new ReplayWindow()
  #period = 0
  #key: Uint8Array
  /** Of the period before, for packets that were overtaken. */
  #oldKey: Uint8Array | undefined

  constructor(key: Uint8Array, ends: ChannelEnds, limits: ChannelLimits = CHANNEL_LIMITS) {
    this.#key = key
    this.#associated = createAssociated(ends.source, ends.destination)
    this.#limits = limits
  }

  /**
   * Opens `packet` in place; true if it is genuine and was not seen before. Its content is then
   * between the header and the tag.
   */
  isOpened(packet: Uint8Array): boolean {
    if (packet.length < SEALED_HEADER_BYTES + AEAD_TAG_BYTES) return false
    // The two highest bytes are zero as long as a counter is exact.
    if (readUint32(packet, 5) > 0xffff) return false
    const counter = readUint64(packet, 5)
    if (!this.#window.isNew(counter)) return false
    const period = Math.floor(counter / this.#limits.rekeyPackets)
    const key = this.#keyOf(period)
    if (key === undefined) return false
    for (let i = 0; i < SEALED_HEADER_BYTES; i++) this.#associated[i] = packet[i] as number
    const start = SEALED_HEADER_BYTES
    if (!isOpenedInPlace(key, counter, this.#associated, packet, start, packet.length)) return false
    if (period > this.#period) {
      this.#oldKey?.fill(0)
      this.#oldKey = this.#key
      this.#key = key
      this.#period = period
    }
    this.#window.mark(counter)
    return true
  }

  #keyOf(period: number): Uint8Array | undefined {
    if (period === this.#period) return this.#key
    if (period === this.#period - 1) return this.#oldKey
    // One ahead and no more: a forged counter may cost one derivation.
    return period === this.#period + 1 ? nextKey(this.#key) : undefined
  }
}

/** What two ends agree on, as one of them sees it. */
export interface ChannelKeys {
  readonly peer: { readonly name: CapsuleName }
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  /** The index that the peer gave to the session. */
  readonly peerIndex: number
}

/** Both directions of the session that `own` knows by `index`. */
export function createChannels(
  own: CapsuleName,
  index: number,
  { peer, sendKey, receiveKey, peerIndex }: ChannelKeys,
  limits: ChannelLimits,
): { readonly sealing: SealingChannel; readonly opening: OpeningChannel } {
  const outwards = { source: own, destination: peer.name, receiver: peerIndex }
  const inwards = { source: peer.name, destination: own, receiver: index }
  return {
    sealing: new SealingChannel(sendKey, outwards, limits),
    opening: new OpeningChannel(receiveKey, inwards, limits),
  }
}
