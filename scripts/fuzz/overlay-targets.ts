/**
 * What neighbors in the overlay say: frames, tickets, and a router that has to bear them.
 *
 * @module
 */
import {
  asCapsuleName,
  asPublicKey,
  decodeUtf8,
  encodeCertChain,
  encodeUtf8,
  formatTicket,
  parseTicket,
  UsageError,
} from '@longshore/capsule'
import type { OverlayEffect } from '@longshore/engine'
import {
  type DecodedFrame,
  decodeFrame,
  encodeFrame,
  OverlayWorld,
  Prng,
  type WorldNode,
} from '@longshore/engine/testing'
import type { FuzzTarget } from './fuzz-target.ts'
import { owner } from './world.ts'

const bytesOf = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const name = (value: number) => asCapsuleName(bytesOf(32, value))

const GROUP = {
  chain: bytesOf(40, 1),
  membership: { domain: name(3), chain: bytesOf(40, 2) },
  rtCerts: [bytesOf(60, 3)],
  rtManifests: [bytesOf(50, 4)],
  names: [{ signedManifest: bytesOf(50, 4), costUs: 1000 }],
}

const DATA = { flags: 0, hops: 32, destination: name(1), source: name(2), payload: bytesOf(20, 5) }
const QUESTION = { request: 1, name: name(1), hopsLeft: 8 }
const NAMES = { names: [name(1), name(2)] }

const FRAMES: readonly DecodedFrame[] = [
  {
    type: 'hello',
    fields: {
      ...{ versionMin: 1, versionMax: 1, nonce: bytesOf(32, 6), signedManifest: bytesOf(50, 4) },
      ...{ isRouter: true, membership: GROUP.membership, addresses: ['tls://a:1'] },
    },
  },
  { type: 'goodbye', fields: { code: 'PEER_LOST', message: 'silent' } },
  { type: 'ping', fields: { number: 7 } },
  { type: 'data', fields: DATA },
  { type: 'published', fields: DATA },
  { type: 'labelled', fields: { flags: 1, hops: 3, label: 1, payload: bytesOf(20, 5) } },
  { type: 'label', fields: { label: 1, destination: name(1), source: name(2) } },
  { type: 'retire', fields: { number: 1 } },
  {
    type: 'unreachable',
    fields: {
      ...{ hops: 9, source: name(1), destination: name(2), by: name(3) },
      ...{ code: 'NO_ROUTE', message: 'nobody' },
    },
  },
  { type: 'advertise', fields: { request: 1, statement: bytesOf(80, 1), groups: [GROUP] } },
  {
    type: 'advertised',
    fields: { request: 1, names: [{ name: name(1), code: null, expiresS: 1_790_000_000 }] },
  },
  { type: 'withdraw', fields: NAMES },
  { type: 'lookup', fields: QUESTION },
  { type: 'found', fields: { request: 1, code: null, entries: [GROUP] } },
  { type: 'found', fields: { request: 1, code: 'NO_ROUTE', entries: [] } },
  { type: 'subscribe', fields: NAMES },
  { type: 'gap', fields: NAMES },
  { type: 'trace', fields: QUESTION },
  {
    type: 'traced',
    fields: {
      ...{ request: 1, code: null },
      hops: [{ principal: name(1), domain: null, costUs: 9, evidence: bytesOf(32, 1) }],
    },
  },
]

const EXPORTER = bytesOf(32, 8)
const CONNECTION = 1

/** The same router every time, with a connection on which nothing was said yet. */
function makeRouter(): { readonly world: OverlayWorld; readonly router: WorldNode } {
  const world = new OverlayWorld(new Prng(1))
  return { world, router: world.router() }
}

function connect(node: WorldNode, peer: WorldNode, dial: number | undefined): OverlayEffect[] {
  const { tlsKey: peerTlsKey } = peer.ticket
  const event = { type: 'connected', connection: CONNECTION, exporter: EXPORTER } as const
  return node.overlay.step({ ...event, dial, peerTlsKey, remote: peer.address })
}

const written = (effects: readonly OverlayEffect[]): Uint8Array[] =>
  effects.flatMap((effect) => (effect.type === 'write' ? effect.chunks : []))

/** All that a neighbor says to the router which serves a capsule, asks and sends. */
function conversation(): Uint8Array {
  const { world, router } = makeRouter()
  const node = world.node()
  const said: Uint8Array[] = []
  const hear = (effects: readonly OverlayEffect[]): void => {
    for (const bytes of written(effects)) {
      said.push(bytes.slice())
      const event = { type: 'received', connection: CONNECTION, bytes: bytes.slice() } as const
      const answers = written(router.overlay.step(event))
      router.overlay.step({ type: 'drained', connection: CONNECTION })
      node.overlay.step({ type: 'drained', connection: CONNECTION })
      for (const answer of answers) hear(node.overlay.step({ ...event, bytes: answer.slice() }))
    }
  }
  const authority = world.authority('person')
  const capsule = world.capsule(authority)
  node.overlay.step({ type: 'join', ticket: router.ticket })
  const greeting = written(connect(router, node, undefined))
  hear(connect(node, router, 1))
  for (const bytes of greeting) {
    hear(node.overlay.step({ type: 'received', connection: CONNECTION, bytes: bytes.slice() }))
  }
  const chain = encodeCertChain(world.adChain(authority, node.name))
  const advertise = { type: 'advertise', capsule: capsule.signed, chain } as const
  hear(node.overlay.step({ ...advertise, name: capsule.name }))
  const send = { type: 'send', destination: router.name, source: node.name, isBulk: false } as const
  for (let i = 0; i < 3; i++) hear(node.overlay.step({ ...send, payload: bytesOf(9, i) }))
  for (const type of ['resolve', 'trace'] as const) {
    hear(node.overlay.step({ type, request: 1, name: name(9) }))
  }
  hear(node.overlay.step({ type: 'withdraw', names: [capsule.name] }))
  return Uint8Array.from(said.flatMap((bytes) => [...bytes]))
}

/** Whatever a neighbor says, a router goes on and keeps no link to who breaks the protocol. */
function bear(input: Uint8Array): undefined {
  const { world, router } = makeRouter()
  const node = world.node()
  connect(router, node, undefined)
  const bytes = input.slice()
  const effects = router.overlay.step({ type: 'received', connection: CONNECTION, bytes })
  const isClosed = effects.some(({ type }) => type === 'close')
  const linkCount = [...router.overlay.links].length
  if (isClosed && linkCount > 0) throw new Error('the link outlived its connection')
  if (router.overlay.counters.protocolErrors > 0 && !isClosed) throw new Error('not closed')
  return undefined
}

export const overlayTargets: readonly FuzzTarget[] = [
  {
    name: 'overlay-frame',
    samples: () => FRAMES.map((frame) => encodeFrame(frame)),
    roundTrip: (input) => encodeFrame(decodeFrame(input)),
  },
  {
    name: 'ticket',
    samples: () => {
      const ticket = { name: name(1), tlsKey: asPublicKey(owner.publicKey) }
      const lists = [['tls://a:1'], ['tls://[::1]:7700', 'tls://node.example:443']]
      return lists.map((addresses) => encodeUtf8(formatTicket({ ...ticket, addresses })))
    },
    roundTrip: (input) => {
      const text = decodeUtf8(input)
      if (text === undefined) throw new UsageError('TICKET_INVALID', 'not UTF-8')
      return encodeUtf8(formatTicket(parseTicket(text)))
    },
  },
  { name: 'router', samples: () => [conversation()], roundTrip: bear, isSlow: true },
]
