/** The proxy under an echo server: weather changes when bytes come, never which. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { Prng } from '@longshore/engine/testing'
import { drawLinkFault, FaultProxy, type LinkFault } from './fault-proxy.ts'

const accepted: Socket[] = []
const server = createServer((socket) => {
  accepted.push(socket)
  socket.on('error', () => {})
  socket.pipe(socket)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const proxies: FaultProxy[] = []
after(async () => {
  for (const socket of accepted) socket.destroy()
  for (const proxy of proxies) await proxy.close()
  server.close()
})

async function openProxy(): Promise<FaultProxy> {
  const proxy = await FaultProxy.open(new Prng(1))
  proxy.aim((server.address() as AddressInfo).port)
  proxies.push(proxy)
  return proxy
}

async function dial(proxy: FaultProxy): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Unlike `once`, also after an error. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

/** Sends, and collects as many bytes as came back. */
async function echo(socket: Socket, bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  const whole = new Promise<void>((resolve) => {
    const take = (part: Uint8Array): void => {
      parts.push(part)
      length += part.length
      if (length < bytes.length) return
      socket.off('data', take)
      resolve()
    }
    socket.on('data', take)
  })
  socket.write(bytes)
  await whole
  return new Uint8Array(Buffer.concat(parts))
}

test('in any weather that lets bytes pass they arrive whole and in order', async () => {
  const prng = new Prng(2)
  const weathers: (LinkFault | undefined)[] = [
    undefined,
    { kind: 'delay', delayMs: 3, jitterMs: 20 },
    { kind: 'bandwidth', bytesPerS: 10_000_000 },
  ]
  for (const weather of weathers) {
    const proxy = await openProxy()
    proxy.set(weather)
    const socket = await dial(proxy)
    const bytes = prng.bytes(1_000_000)
    assert.deepEqual(await echo(socket, bytes), bytes)
    assert.equal(proxy.counters.bytes, 2_000_000)
    socket.destroy()
  }
})

test('a stalled link, or direction, passes nothing until the fault ends, and then everything', async () => {
  const stalls: LinkFault[] = [
    { kind: 'stall' },
    { kind: 'one-way', direction: 'up' },
    { kind: 'one-way', direction: 'down' },
  ]
  for (const stall of stalls) {
    const proxy = await openProxy()
    const socket = await dial(proxy)
    await echo(socket, Uint8Array.of(1))
    proxy.set(stall)
    let isOver = false
    const answer = echo(socket, Uint8Array.of(2, 3)).then((bytes) => {
      assert.ok(isOver)
      return bytes
    })
    // Another connection through good weather has gone both ways meanwhile.
    const other = await dial(await openProxy())
    await echo(other, Uint8Array.of(4))
    isOver = true
    proxy.set(undefined)
    assert.deepEqual(await answer, Uint8Array.of(2, 3))
  }
})

test('a reset breaks connections and takes new ones; refusing takes none', async () => {
  const proxy = await openProxy()
  const socket = await dial(proxy)
  await echo(socket, Uint8Array.of(1))
  const closed = closeOf(socket)
  proxy.set({ kind: 'reset' })
  await closed
  const second = await dial(proxy)
  assert.deepEqual(await echo(second, Uint8Array.of(5)), Uint8Array.of(5))
  const gone = closeOf(second)
  proxy.set({ kind: 'refuse' })
  await gone
  const third = connect(proxy.port, '127.0.0.1')
  third.on('error', () => {})
  await closeOf(third)
  assert.equal(proxy.counters.broken, 2)
  assert.equal(proxy.counters.connections, 2)
})

test('half-open: the target sees the end, the dialler hears nothing until the fault is over', async () => {
  const proxy = await openProxy()
  const socket = await dial(proxy)
  await echo(socket, Uint8Array.of(1))
  const [atTarget] = accepted.slice(-1)
  assert.ok(atTarget)
  const ended = closeOf(atTarget)
  proxy.set({ kind: 'half-open' })
  await ended
  socket.write(Uint8Array.of(9))
  const other = await dial(await openProxy())
  await echo(other, Uint8Array.of(4))
  assert.equal(socket.destroyed, false)
  const closed = closeOf(socket)
  proxy.set(undefined)
  await closed
})

test('the same seed draws the same faults, and every kind of them', () => {
  const draw = (seed: number): LinkFault[] => {
    const prng = new Prng(seed)
    return Array.from({ length: 200 }, () => drawLinkFault(prng))
  }
  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
  assert.equal(new Set(draw(7).map(({ kind }) => kind)).size, 7)
})
