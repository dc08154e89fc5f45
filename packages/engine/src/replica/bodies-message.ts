/**
 * The bulk message that carries payloads alone, for entries whose headers the asker has verified.
 *
 *     02              kind
 *     00000007        request id
 *     0001            number of payloads, 1 to 256
 *     00…01           index (8 bytes)
 *     01 00000005 …   0 absent, 1 and the body with its length, 2 erased
 *
 * Rule MS15 of docs/spec/message.md.
 *
 * @module
 */
import { assert, BODY_BYTES_MAX, INTEGER_MAX, ProtocolError } from '@longshore/capsule'
import type { PayloadState, StoredEntry } from '../store/store.ts'
import { BODY_INDICES_MAX, BULK_BYTES_MAX, MESSAGE_BODIES_BYTES_MAX } from './limits.ts'

export const BODIES_KIND = 0x02

const STATES: readonly PayloadState[] = ['absent', 'present', 'erased']

export interface BodiesMessage {
  readonly id: number
  readonly bodies: readonly {
    readonly index: number
    readonly state: PayloadState
    /** A view of the message. */
    readonly body: Uint8Array | undefined
  }[]
}

export function encodeBodies(id: number, entries: readonly StoredEntry[]): Uint8Array {
  assert(entries.length >= 1 && entries.length <= BODY_INDICES_MAX, '1 to 256 payloads')
  let byteLength = 7
  for (const { body } of entries) byteLength += body === undefined ? 9 : 13 + body.length
  const bytes = new Uint8Array(byteLength)
  const view = new DataView(bytes.buffer)
  bytes[0] = BODIES_KIND
  view.setUint32(1, id)
  view.setUint16(5, entries.length)
  let at = 7
  for (const { index, state, body } of entries) {
    view.setBigUint64(at, BigInt(index))
    bytes[at + 8] = STATES.indexOf(state)
    at += 9
    if (body === undefined) continue
    view.setUint32(at, body.length)
    bytes.set(body, at + 4)
    at += 4 + body.length
  }
  return bytes
}

/** @throws {ProtocolError} `PROTOCOL_ERROR` for anything but the one spelling of a message. */
export function decodeBodies(bytes: Uint8Array): BodiesMessage {
  if (bytes.length > BULK_BYTES_MAX || bytes.length < 7 || bytes[0] !== BODIES_KIND) {
    throw invalid('it is of another kind or length')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint16(5)
  if (count < 1 || count > BODY_INDICES_MAX) throw invalid('1 to 256 payloads')
  const bodies: { index: number; state: PayloadState; body: Uint8Array | undefined }[] = []
  let at = 7
  let bodiesBytes = 0
  while (bodies.length < count) {
    if (at + 9 > bytes.length) throw invalid('it is cut off')
    const index = view.getBigUint64(at)
    const state = STATES[bytes[at + 8] as number]
    if (state === undefined || index > BigInt(INTEGER_MAX)) throw invalid('no such entry')
    if (Number(index) <= (bodies.at(-1)?.index ?? -1)) throw invalid('indices ascend')
    at += 9
    let body: Uint8Array | undefined
    if (state === 'present') {
      if (at + 4 > bytes.length) throw invalid('it is cut off')
      const bodyBytes = view.getUint32(at)
      at += 4 + bodyBytes
      if (bodyBytes > BODY_BYTES_MAX || at > bytes.length) throw invalid('a body is cut off')
      body = bytes.subarray(at - bodyBytes, at)
      if (bodies.length > 0) bodiesBytes += bodyBytes
    }
    bodies.push({ index: Number(index), state, body })
  }
  if (at !== bytes.length) throw invalid('bytes behind the last payload')
  if (bodiesBytes > MESSAGE_BODIES_BYTES_MAX) throw invalid('too many bodies for one message')
  return { id: view.getUint32(1), bodies }
}

function invalid(what: string): ProtocolError {
  return new ProtocolError('PROTOCOL_ERROR', `not a message with payloads: ${what}`)
}
