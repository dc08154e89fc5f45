/**
 * Every kind of bytes that a session reads from outside, with samples: for the fuzzers.
 *
 * @module
 */
import { asCapsuleName, bytesEqual, concatBytes } from '@longshore/capsule'
import { Prng } from '../../testing/prng.ts'
import { contentBytes, createContent, decodeContent, writeContent } from '../content.ts'
import { OFFER } from '../handshake.ts'
import {
  decodeInitiatorProof,
  decodeResponderProof,
  encodeInitiatorProof,
  encodeResponderProof,
} from '../identity-proof.ts'
import { CHUNK_BYTES_MAX } from '../limits.ts'
import {
  decodeFinish,
  decodeInit,
  decodeReply,
  decodeRetry,
  decodeUnknown,
  decodeUnsupported,
  encodeFinish,
  encodeInit,
  encodeReply,
  encodeRetry,
  encodeUnknown,
  encodeUnsupported,
} from '../packet.ts'
import { SessionNetwork, type SessionNode } from './session-network.ts'

interface SessionCodec {
  readonly name: string
  readonly samples: () => readonly Uint8Array[]
  /** Throws a LongshoreError, or gives what was read in its one spelling. */
  readonly roundTrip: (input: Uint8Array) => Uint8Array | undefined
  readonly isSlow?: boolean
}

const bytesOf = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const ephemeral = bytesOf(32, 9)
const lists = { versions: [1, 3, 200], suites: [1, 2] }

function contentSamples(): Uint8Array[] {
  const none = createContent()
  const report = { next: 2 ** 40 + 3, credit: 2 ** 45, bitsLow: 0, bitsHigh: 0 }
  const bits = { ...report, bitsLow: 0x8000_0001, bitsHigh: 7 }
  const chunk = { hasChunk: true, isLast: true, sequence: 2 ** 33 }
  return [
    { content: none, chunkBytes: 0 },
    { content: { ...none, urgent: report, bulk: bits, isPing: true }, chunkBytes: 0 },
    { content: { ...none, close: 'OVERLOADED' as const, urgent: bits }, chunkBytes: 0 },
    { content: { ...none, ...chunk }, chunkBytes: 5 },
    { content: { ...none, ...chunk, isLast: false, isBulk: true }, chunkBytes: CHUNK_BYTES_MAX },
  ].map(({ content, chunkBytes }) => {
    const bytes = bytesOf(contentBytes(content, chunkBytes), 6)
    writeContent(bytes, 0, content)
    return bytes
  })
}

function roundTripContent(input: Uint8Array): Uint8Array {
  const content = createContent()
  decodeContent(input, 0, input.length, content)
  const chunk = content.hasChunk
    ? input.subarray(content.chunkStart, content.chunkEnd)
    : bytesOf(0, 0)
  const bytes = new Uint8Array(contentBytes(content, chunk.length))
  bytes.set(chunk, writeContent(bytes, 0, content))
  return bytes
}

interface OpenPair {
  readonly network: SessionNetwork
  readonly a: SessionNode
  readonly b: SessionNode
  readonly sent: readonly Uint8Array[]
}

/** The same pair each time, with one open session and one that is opening. */
function createOpenPair(): OpenPair {
  const network = new SessionNetwork(new Prng(11))
  const sent: Uint8Array[] = []
  network.onSend = ({ payload }) => {
    sent.push(payload.slice())
    return true
  }
  const [a, b] = [network.add(), network.add()]
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(1_000_000)
  a.step({ type: 'send', session: 1, message: bytesOf(40, 1), isBulk: false })
  a.step({ type: 'open', session: 2, target: asCapsuleName(bytesOf(32, 7)) })
  return { network, a, b, sent }
}

/** Whatever is delivered to either end, it is not believed and breaks nothing. */
function deliver(input: Uint8Array): undefined {
  const { network, a, b, sent } = createOpenPair()
  const isOwn = sent.some((packet) => bytesEqual(packet, input))
  network.inject({ source: a.name, destination: b.name, payload: input })
  network.inject({ source: b.name, destination: a.name, payload: input })
  network.run(2_000_000)
  if (b.messages.length !== 1 || a.messages.length !== 0) throw new Error('believed a forgery')
  if (!isOwn && a.closed.length + b.closed.length > 0) throw new Error('a forgery closed a session')
  return undefined
}

export const SESSION_CODECS: readonly SessionCodec[] = [
  {
    name: 'session-init',
    samples: () => [
      encodeInit({ ephemeral, index: 7, offer: OFFER, cookie: bytesOf(0, 0) }),
      encodeInit({ ephemeral, index: 2 ** 32 - 1, offer: lists, cookie: bytesOf(16, 3) }),
    ],
    roundTrip: (input) => withType(input, 1, encodeInit(decodeInit(input))),
  },
  {
    name: 'session-reply',
    samples: () => [
      encodeReply({
        ...{ receiver: 1, index: 2, version: 1, suite: 1, ephemeral, sealed: bytesOf(100, 5) },
      }),
    ],
    roundTrip: (input) => withType(input, 2, encodeReply(decodeReply(input))),
  },
  {
    name: 'session-finish',
    samples: () => [encodeFinish(9, bytesOf(17, 1)), encodeFinish(0, bytesOf(500, 1))],
    roundTrip: (input) => {
      const { receiver, sealed } = decodeFinish(input)
      return withType(input, 3, encodeFinish(receiver, sealed))
    },
  },
  {
    name: 'session-retry',
    samples: () => [encodeRetry({ receiver: 5, ephemeral, cookie: bytesOf(16, 8) })],
    roundTrip: (input) => withType(input, 5, encodeRetry(decodeRetry(input))),
  },
  {
    name: 'session-unsupported',
    samples: () => [encodeUnsupported({ receiver: 5, ephemeral, offer: lists })],
    roundTrip: (input) => withType(input, 6, encodeUnsupported(decodeUnsupported(input))),
  },
  {
    name: 'session-unknown',
    samples: () => [encodeUnknown({ receiver: 5, tag: bytesOf(16, 8) })],
    roundTrip: (input) => withType(input, 7, encodeUnknown(decodeUnknown(input))),
  },
  {
    name: 'session-responder-proof',
    samples: () => {
      const proof = { signedManifest: bytesOf(300, 1), signature: bytesOf(64, 2) }
      return [
        encodeResponderProof({ ...proof, chain: undefined, requiresIdentity: true }),
        encodeResponderProof({ ...proof, chain: bytesOf(80, 4), requiresIdentity: false }),
      ]
    },
    roundTrip: (input) => encodeResponderProof(decodeResponderProof(input)),
  },
  {
    name: 'session-initiator-proof',
    samples: () => [
      encodeInitiatorProof(undefined),
      encodeInitiatorProof({ signedManifest: bytesOf(300, 1), signature: bytesOf(64, 2) }),
    ],
    roundTrip: (input) => encodeInitiatorProof(decodeInitiatorProof(input)),
  },
  { name: 'session-content', samples: contentSamples, roundTrip: roundTripContent },
  {
    name: 'session-deliver',
    samples: () => createOpenPair().sent,
    roundTrip: deliver,
    isSlow: true,
  },
]

/** Whoever calls a decoder has looked at the type; what it is does not come from the decoder. */
function withType(input: Uint8Array, type: number, encoded: Uint8Array): Uint8Array {
  return input[0] === type ? encoded : concatBytes(input.subarray(0, 1), encoded.subarray(1))
}
