/**
 * Whoever can reach the port of a node: it neither ends nor grows, and honest neighbors go on.
 */
import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { after, test } from 'node:test'
import type { Ticket } from '@longshore/capsule'
import {
  createNodePrincipal,
  type NodePrincipal,
  OVERLAY_LIMITS,
  type TransportEvent,
} from '@longshore/engine'
import { parseAddress, TlsTransport } from '@longshore/engine/node'
import { encodeFrame, Prng } from '@longshore/engine/testing'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
const node = await place.open('attacked', { roles: ['router'] })
const ticket = node.ticket as Ticket
const attackers: TlsTransport[] = []
after(async () => {
  for (const attacker of attackers) await attacker.close()
  await place.close()
})

function principal(byte: number): NodePrincipal {
  const facts = { nonce: new Uint8Array(16), timeUs: 0 }
  return createNodePrincipal(new Uint8Array(32).fill(byte), facts)
}

/** Connects with a proper key and says `words`; resolves when the node has hung up. */
function attack(words: readonly Uint8Array[], byte = 7): Promise<string> {
  return new Promise((resolve) => {
    const attacker = createAttacker(byte, (event) => {
      if (event.type === 'connected') {
        attacker.apply({ type: 'write', connection: event.connection, chunks: words })
      }
      if (event.type === 'closed' || event.type === 'dial-failed') resolve(event.reason)
    })
    dial(attacker, 1)
  })
}

function createAttacker(byte: number, onEvent: (event: TransportEvent) => void): TlsTransport {
  const attacker = new TlsTransport({ seed: principal(byte).seeds.tls, onEvent })
  attackers.push(attacker)
  return attacker
}

function dial(attacker: TlsTransport, number: number): void {
  const [address = ''] = ticket.addresses
  attacker.apply({ type: 'dial', dial: number, address, tlsKey: ticket.tlsKey })
}

/** A frame of the overlay: length, type, body. */
function frame(type: number, body: Uint8Array, length = body.length + 1): Uint8Array {
  const bytes = new Uint8Array(5 + body.length)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes[4] = type
  bytes.set(body, 5)
  return bytes
}

function hello(
  signedManifest: Uint8Array,
  versions: readonly [number, number] = [1, 1],
): Uint8Array {
  const [versionMin, versionMax] = versions
  const fields = { versionMin, versionMax, nonce: new Uint8Array(32), signedManifest }
  const more = { isRouter: false, membership: null, addresses: [] }
  return encodeFrame({ type: 'hello', fields: { ...fields, ...more } })
}

async function checkSound(): Promise<void> {
  assert.equal(node.health.ok, true)
  const linked = Promise.withResolvers<void>()
  const honest = await place.open('honest', {
    join: [ticket],
    log: (_level, event) => {
      if (event === 'node.link-up') linked.resolve()
    },
  })
  await linked.promise
  assert.equal(honest.status.neighbors[0]?.up, true)
  await honest.close()
}

test('ND20: bytes that are no TLS, and silence, cost a socket each and nothing else', async () => {
  const { host, port } = parseAddress(ticket.addresses[0] as string)
  const prng = new Prng(1)
  const garbage = ['GET / HTTP/1.1\r\n\r\n', prng.bytes(65_536), Uint8Array.of(0x16, 3, 1, 0xff)]
  for (const bytes of garbage) {
    await new Promise<void>((resolve) => {
      const socket = connectTcp({ host, port }, () => socket.end(bytes))
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.on('close', () => resolve())
    })
  }
  await checkSound()
})

test('ND20: frames that lie about their length, are cut off or unknown end their link alone', async () => {
  const prng = new Prng(2)
  const { node: own } = principal(7)
  const huge = frame(1, new Uint8Array(16), 0xffff_ffff)
  const lies: Uint8Array[][] = [
    [huge],
    [frame(1, new Uint8Array(0), 0)],
    [frame(0xee, prng.bytes(64))],
    [prng.bytes(65_536)],
    [hello(own.signed), huge],
    [hello(own.signed), frame(0xee, prng.bytes(64))],
    [hello(own.signed), hello(own.signed)],
    [hello(own.signed), frame(3, prng.bytes(100_000))],
  ]
  for (const words of lies) await attack(words)
  assert.ok(node.status.counters.protocolErrors >= lies.length)
  await checkSound()
})

test('ND20: a hello with the manifest of somebody else, or of no version, is refused', async () => {
  const before = node.status.counters.protocolErrors
  const { node: other, headLog } = principal(8)
  await attack([hello(other.signed)])
  await attack([hello(headLog.signed)])
  await attack([hello(principal(7).node.signed, [9, 12])])
  assert.equal(node.status.counters.protocolErrors, before + 3)
  assert.deepEqual(node.status.links, [])
  await checkSound()
})

test('ND20: a flood of connections that say nothing is bounded, and gone with its sender', async () => {
  const flood = OVERLAY_LIMITS.strangersMax + 40
  let [open, closed] = [0, 0]
  const settled = Promise.withResolvers<void>()
  const attacker = createAttacker(9, (event) => {
    if (event.type === 'connected') {
      open++
      // Half a frame: it waits for the rest.
      const half = frame(1, new Uint8Array(4), 100_000)
      attacker.apply({ type: 'write', connection: event.connection, chunks: [half] })
    }
    if (event.type === 'closed' || event.type === 'dial-failed') closed++
    if (open >= OVERLAY_LIMITS.strangersMax && closed >= 40) settled.resolve()
  })
  for (let i = 1; i <= flood; i++) dial(attacker, i)
  await settled.promise
  assert.ok(node.status.strangers <= OVERLAY_LIMITS.strangersMax)
  assert.ok(process.memoryUsage().arrayBuffers < 256 * 1_048_576)
  await attacker.close()
  // The node hears of it in turns of the event loop.
  while (node.status.strangers > 0) await new Promise((resolve) => setImmediate(resolve))
  await checkSound()
})
