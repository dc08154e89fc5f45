/**
 * The contract that every transport passes, as tests: TLS over loopback and the simulated network.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { asPublicKey, type PublicKey } from '@longshore/capsule'
import type { ConnectionId, TransportEffect, TransportEvent } from '../src/transport/transport.ts'

/** One node's end of the transport under test. */
export interface Party {
  readonly address: string
  readonly tlsKey: PublicKey
  /** Everything that was reported so far. */
  readonly events: TransportEvent[]
  apply(effect: TransportEffect): void
  /** The node dies without a word to anybody. */
  kill(): Promise<void>
}

export interface TransportHarness {
  /** A node that listens. */
  open(): Promise<Party>
  /** An address where nobody listens. */
  readonly deadAddress: string
  /** Lets the world go on until `condition` holds; fails if it never does. */
  until(condition: () => boolean): Promise<void>
  /** Lets the world go on until nothing is left to do, or for a while where that is unknowable. */
  settle(): Promise<void>
  close(): Promise<void>
}

export type RegisterTest = (title: string, run: () => Promise<void>) => void

type Of<T extends TransportEvent['type']> = Extract<TransportEvent, { type: T }>

function eventsOf<T extends TransportEvent['type']>(party: Party, type: T): Of<T>[] {
  return party.events.filter((event): event is Of<T> => event.type === type)
}

/** The bytes that a connection has received so far. */
function receivedBy(party: Party, connection: ConnectionId): Uint8Array {
  const pieces = eventsOf(party, 'received').filter((event) => event.connection === connection)
  return Buffer.concat(pieces.map(({ bytes }) => bytes))
}

interface Connected {
  readonly dialler: Party
  readonly listener: Party
  readonly near: Of<'connected'>
  readonly far: Of<'connected'>
}

async function connect(harness: TransportHarness, dialler: Party, listener: Party) {
  const dial = dialler.events.length + 1
  const before = eventsOf(listener, 'connected').length
  dialler.apply({ type: 'dial', dial, address: listener.address, tlsKey: listener.tlsKey })
  const answers = () => eventsOf(dialler, 'connected').filter((event) => event.dial === dial)
  await harness.until(
    () => answers().length === 1 && eventsOf(listener, 'connected').length > before,
  )
  const far = eventsOf(listener, 'connected').at(-1) as Of<'connected'>
  return { dialler, listener, near: answers()[0] as Of<'connected'>, far } satisfies Connected
}

/** Registers all tests of the contract. */
export function runTransportContract(
  name: string,
  open: () => Promise<TransportHarness>,
  register: RegisterTest,
): void {
  const test = (title: string, run: (harness: TransportHarness) => Promise<void>): void =>
    register(`${title} (${name})`, async () => {
      const harness = await open()
      try {
        await run(harness)
      } finally {
        await harness.close()
      }
    })

  test('TP1 TP2: both ends learn the key of the other and share an exporter', async (harness) => {
    const [a, b] = [await harness.open(), await harness.open()]
    const first = await connect(harness, a, b)
    assert.deepEqual(first.near.peerTlsKey, b.tlsKey)
    assert.deepEqual(first.far.peerTlsKey, a.tlsKey)
    assert.equal(first.far.dial, undefined)
    assert.equal(first.near.exporter.byteLength, 32)
    assert.deepEqual(first.near.exporter, first.far.exporter)
    const second = await connect(harness, a, b)
    assert.notDeepEqual(second.near.exporter, first.near.exporter)
    assert.notEqual(second.near.connection, first.near.connection)
  })

  test('TP3: bytes arrive whole and in order, both ways, however they are cut', async (harness) => {
    const { dialler, listener, near, far } = await connect(
      harness,
      await harness.open(),
      await harness.open(),
    )
    const sizes = [1, 2, 3, 100, 65_536, 1, 300_000]
    const chunks = sizes.map((size, i) => new Uint8Array(size).fill(i + 1))
    dialler.apply({ type: 'write', connection: near.connection, chunks })
    for (const chunk of chunks) {
      listener.apply({ type: 'write', connection: far.connection, chunks: [chunk] })
    }
    const expected = Buffer.concat(chunks)
    await harness.until(
      () =>
        receivedBy(listener, far.connection).byteLength === expected.byteLength &&
        receivedBy(dialler, near.connection).byteLength === expected.byteLength,
    )
    assert.ok(expected.equals(receivedBy(listener, far.connection)))
    assert.ok(expected.equals(receivedBy(dialler, near.connection)))
  })

  test('TP4: drained follows every write', async (harness) => {
    const { dialler, near } = await connect(harness, await harness.open(), await harness.open())
    for (let i = 1; i <= 3; i++) {
      dialler.apply({
        type: 'write',
        connection: near.connection,
        chunks: [new Uint8Array(100_000)],
      })
      await harness.until(() => eventsOf(dialler, 'drained').length >= i)
    }
  })

  test('TP5: who pauses receives nothing until resume, and the writer feels it', async (harness) => {
    const { dialler, listener, near, far } = await connect(
      harness,
      await harness.open(),
      await harness.open(),
    )
    listener.apply({ type: 'pause', connection: far.connection })
    await harness.settle()
    const { connection } = near
    dialler.apply({ type: 'write', connection, chunks: [new Uint8Array(1000)] })
    await harness.settle()
    // What had been read from the socket before the pause may still come; nothing after it.
    assert.equal(receivedBy(listener, far.connection).byteLength, 0)
    listener.apply({ type: 'resume', connection: far.connection })
    await harness.until(() => receivedBy(listener, far.connection).byteLength === 1000)
  })

  test('TP8: what was written before close still arrives, then both ends are closed', async (harness) => {
    const { dialler, listener, near, far } = await connect(
      harness,
      await harness.open(),
      await harness.open(),
    )
    dialler.apply({
      type: 'write',
      connection: near.connection,
      chunks: [new Uint8Array(500_000).fill(7)],
    })
    dialler.apply({ type: 'close', connection: near.connection })
    await harness.until(
      () => eventsOf(listener, 'closed').length === 1 && eventsOf(dialler, 'closed').length === 1,
    )
    assert.equal(receivedBy(listener, far.connection).byteLength, 500_000)
    assert.equal(listener.events.at(-1)?.type, 'closed')
    dialler.apply({ type: 'write', connection: near.connection, chunks: [new Uint8Array(1)] })
    await harness.settle()
    assert.equal(receivedBy(listener, far.connection).byteLength, 500_000)
  })

  test('TP8: a node that dies is noticed by the other end', async (harness) => {
    const { dialler, listener, near } = await connect(
      harness,
      await harness.open(),
      await harness.open(),
    )
    await listener.kill()
    await harness.until(() =>
      eventsOf(dialler, 'closed').some(({ connection }) => connection === near.connection),
    )
  })

  test('TP2: another key than the pinned one is no connection', async (harness) => {
    const [a, b] = [await harness.open(), await harness.open()]
    const tlsKey = asPublicKey(a.tlsKey.slice())
    a.apply({ type: 'dial', dial: 9, address: b.address, tlsKey })
    await harness.until(() => eventsOf(a, 'dial-failed').length === 1)
    assert.equal(eventsOf(a, 'dial-failed')[0]?.dial, 9)
    assert.deepEqual(eventsOf(a, 'connected'), [])
    assert.deepEqual(eventsOf(b, 'received'), [])
  })

  test('TP9: a dial to nowhere, or to no address, fails and says so', async (harness) => {
    const a = await harness.open()
    a.apply({ type: 'dial', dial: 1, address: harness.deadAddress, tlsKey: a.tlsKey })
    await harness.until(() => eventsOf(a, 'dial-failed').length === 1)
    a.apply({ type: 'dial', dial: 2, address: 'nonsense', tlsKey: a.tlsKey })
    await harness.until(() => eventsOf(a, 'dial-failed').length === 2)
  })

  test('TP1: many connections at once do not mix', async (harness) => {
    const [a, b] = [await harness.open(), await harness.open()]
    const connections: Connected[] = []
    for (let i = 0; i < 20; i++) connections.push(await connect(harness, a, b))
    for (const [i, { near }] of connections.entries()) {
      a.apply({
        type: 'write',
        connection: near.connection,
        chunks: [new Uint8Array(1000).fill(i)],
      })
    }
    const complete = ({ far }: Connected) => receivedBy(b, far.connection).byteLength === 1000
    await harness.until(() => connections.every(complete))
    for (const [i, { far }] of connections.entries()) {
      assert.ok(receivedBy(b, far.connection).every((byte) => byte === i))
    }
  })
}
