import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { asCapsuleName, MAIN_BRANCH, UnavailableError } from '@longshore/capsule'
import { type AppendTerms, DEFAULT_TERMS } from '../../append-request.ts'
import type { Ack } from '../../capsule.ts'
import type { BranchAddress, HomeWriter } from '../../home-writer.ts'
import { Forwarder } from './forwarder.ts'
import { HolderConnection } from './holder-connection.ts'
import { LocalServer } from './local-server.ts'
import { temporaryDirectory } from './testing-directory.ts'

const AT = { name: asCapsuleName(new Uint8Array(32)), branch: MAIN_BRANCH }

/** A writer that answers when the test says so. */
class ManualWriter {
  size = 0
  isManual = false
  readonly held: (() => void)[] = []
  readonly received: Uint8Array[] = []

  async append(
    _at: BranchAddress,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
  ): Promise<Ack> {
    const index = this.size
    this.size += payloads.length
    this.received.push(...payloads)
    if (this.isManual) await new Promise<void>((resolve) => this.held.push(resolve))
    return { index, count: payloads.length, size: this.size, level: terms.level }
  }

  async remember(key: string, value: Uint8Array): Promise<void> {
    this.received.push(Buffer.from(key), value)
  }

  async compact(): Promise<never> {
    throw new UnavailableError('STORE_FULL', 'the disk is full', { freeBytes: 3 })
  }
}

function asWriter(writer: ManualWriter): HomeWriter {
  return writer as unknown as HomeWriter
}

async function connect(path: string): Promise<HolderConnection> {
  const connection = await HolderConnection.open(path)
  assert.ok(connection)
  return connection
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('HM40 HM49: changes are carried out by the holder, and answers and errors come back', async () => {
  const path = join(temporaryDirectory(), 'socket')
  const writer = new ManualWriter()
  const server = await LocalServer.open(path, asWriter(writer))
  assert.equal(fs.statSync(path).mode & 0o777, 0o600)
  const guest = await connect(path)
  const ack = await guest.append(AT, [new Uint8Array([1]), new Uint8Array([2])], DEFAULT_TERMS)
  assert.deepEqual(ack, { index: 0, count: 2, size: 2, level: 'stored' })
  await assert.rejects(guest.compact(), { code: 'STORE_FULL', details: { freeBytes: 3 } })
  const large = Array.from({ length: 40 }, (_, i) => new Uint8Array(1_000_000).fill(i))
  assert.deepEqual(await guest.append(AT, large, DEFAULT_TERMS), {
    index: 2,
    count: 40,
    size: 42,
    level: 'stored',
  })
  assert.deepEqual(writer.received.slice(2), large)
  await guest.remember('net/a', new Uint8Array([3]))
  assert.deepEqual(writer.received.slice(42), [Buffer.from('net/a'), new Uint8Array([3])])
  await server.close()
  assert.equal(fs.existsSync(path), false)
  guest.close()
})

test('HM41: garbage ends that connection with FRAME_INVALID, and no other', async () => {
  const path = join(temporaryDirectory(), 'socket')
  const server = await LocalServer.open(path, asWriter(new ManualWriter()))
  const guest = await connect(path)
  for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\0\0\0\x02\xa1\x61', '\xff\xff\xff\xff']) {
    const socket = net.connect(path)
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    socket.write(Buffer.from(garbage, 'latin1'))
    socket.end()
    await new Promise((resolve) => socket.on('close', resolve))
    const isShort = garbage.charCodeAt(3) === 2 && garbage.length < 7
    if (!isShort) assert.match(Buffer.concat(received).toString('latin1'), /FRAME_INVALID/)
  }
  const ack = await guest.append(AT, [new Uint8Array(1)], DEFAULT_TERMS)
  assert.equal(ack.size, 1)
  guest.close()
  await server.close()
})

test('HM41: a holder that answers garbage is left, and what was open fails', async () => {
  const path = join(temporaryDirectory(), 'socket')
  const liar = net.createServer((socket) => {
    socket.on('data', () => socket.write(Buffer.from([0, 0, 0, 1, 0xff])))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => liar.listen(path, resolve))
  const guest = await connect(path)
  await assert.rejects(guest.append(AT, [new Uint8Array(1)], DEFAULT_TERMS), {
    code: 'FRAME_INVALID',
  })
  assert.equal(guest.isOpen, false)
  await new Promise((resolve) => liar.close(resolve))
})

test('HM44 HM45: when the holder closes in order, nothing is lost and nothing is done twice', async () => {
  const path = join(temporaryDirectory(), 'socket')
  const first = new ManualWriter()
  first.isManual = true
  let server = await LocalServer.open(path, asWriter(first))
  const second = new ManualWriter()
  let reached = 0
  const forwarder = new Forwarder(
    async () => {
      reached++
      return connect(path)
    },
    () => {},
  )
  const begun = forwarder.append(AT, [new Uint8Array([1])], DEFAULT_TERMS)
  await until(() => first.received.length === 1)
  const closing = server.close()
  const late = await connect(path).catch(() => undefined)
  assert.equal(late, undefined, 'nobody new is let in')
  for (const answer of first.held) answer()
  await closing
  assert.equal((await begun).size, 1)
  server = await LocalServer.open(path, asWriter(second))
  assert.equal((await forwarder.append(AT, [new Uint8Array([2])], DEFAULT_TERMS)).size, 1)
  assert.deepEqual(second.received, [new Uint8Array([2])])
  assert.equal(reached, 2)
  await server.close()
})

test('HM45: a request that a closing holder did not look at goes to the next one', async () => {
  const path = join(temporaryDirectory(), 'socket')
  // Says that it closes as soon as it is asked anything.
  const closing = net.createServer((socket) => {
    socket.once('data', () =>
      socket.end(Buffer.from([0, 0, 0, 6, 0xa1, 0x63, 0x62, 0x79, 0x65, 0])),
    )
  })
  await new Promise<void>((resolve) => closing.listen(path, resolve))
  const writer = new ManualWriter()
  let isFirst = true
  const forwarder = new Forwarder(
    async () => {
      if (!isFirst) return asWriter(writer)
      isFirst = false
      return connect(path)
    },
    () => {},
  )
  const ack = await forwarder.append(AT, [new Uint8Array([1])], DEFAULT_TERMS)
  assert.deepEqual(ack, { index: 0, count: 1, size: 1, level: 'stored' })
  await new Promise((resolve) => closing.close(resolve))
})

test('HM46: a holder that dies leaves HOLDER_LOST, with how much was acknowledged', async () => {
  const path = join(temporaryDirectory(), 'socket')
  const writer = new ManualWriter()
  const server = await LocalServer.open(path, asWriter(writer))
  let served: net.Socket | undefined
  // Between guest and holder, so that the line can be cut.
  const middle = join(temporaryDirectory(), 'middle')
  const relay = net.createServer((socket) => {
    served = socket
    const inner = net.connect(path)
    socket.pipe(inner).pipe(socket)
    for (const side of [socket, inner]) side.on('error', () => {})
    socket.on('close', () => inner.destroy())
  })
  await new Promise<void>((resolve) => relay.listen(middle, resolve))
  const guest = await connect(middle)
  const payloads = Array.from({ length: 6 }, () => new Uint8Array(1_048_576))
  await guest.append(AT, payloads.slice(0, 1), DEFAULT_TERMS)
  writer.isManual = true
  const lost = assert.rejects(guest.append(AT, payloads, DEFAULT_TERMS), {
    code: 'HOLDER_LOST',
    details: { acknowledged: 1, count: 6 },
  })
  await until(() => writer.held.length === 6)
  writer.held[0]!()
  await until(() => guest.unansweredCount === 5)
  served!.destroy()
  await lost
  assert.equal(guest.isOpen, false)
  for (const answer of writer.held) answer()
  relay.close()
  await server.close()
})

test('HM40: a path that is too long for a socket is replaced by a private one', async () => {
  const path = join(temporaryDirectory(), 'x'.repeat(120))
  const server = await LocalServer.open(path, asWriter(new ManualWriter()))
  assert.notEqual(server.path, path)
  const guest = await connect(server.path)
  assert.equal((await guest.append(AT, [new Uint8Array(1)], DEFAULT_TERMS)).size, 1)
  guest.close()
  await server.close()
  assert.equal(fs.existsSync(server.path), false)
})
