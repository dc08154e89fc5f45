/** A home on the network when something is wrong: with a ticket, a mirror, or whose home it is. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { type CapsuleName, formatName, formatTicket, isLongshoreError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { createMirrored, HomePlace, texts, ticketOf } from './home-place.ts'

const place = new HomePlace()
after(() => place.close())

test('NW1: a ticket that leads nowhere replaces none that works, one that leads there does', async () => {
  const [node, other] = [await place.open('t1'), await place.open('t2')]
  await using home = await place.home('t-home', node)
  const right = ticketOf(node)
  const tickets = (): string[] => home.network.tickets().map(formatTicket)
  const wrong = [
    { ...right, addresses: ['tls://127.0.0.1:9'] },
    { ...right, tlsKey: ticketOf(other).tlsKey },
    { ...right, addresses: ticketOf(other).addresses },
  ]
  for (const ticket of wrong) {
    await assert.rejects(home.network.connect(ticket, { timeoutMs: 300 }), (error) => {
      assert.ok(isLongshoreError(error) && error.code === 'NO_MIRROR')
      return error.details['kept'] === right.addresses.join(', ')
    })
    assert.deepEqual(tickets(), [formatTicket(right)])
  }
  // What is known of another node does not make this one answer.
  const unknown = { ...right, name: right.name.toReversed() as CapsuleName }
  await home.network.connect(unknown)
  await home.network.linked({ node: right.name })
  await assert.rejects(home.network.linked({ node: unknown.name, timeoutMs: 300 }), {
    code: 'NO_MIRROR',
  })
  await node.close()
  const moved = await place.open('t1')
  assert.notDeepEqual(ticketOf(moved), right)
  await home.network.connect(ticketOf(moved))
  assert.ok(tickets().includes(formatTicket(ticketOf(moved))))
  assert.ok(!tickets().includes(formatTicket(right)))
  await moved.close()
  await other.close()
})

test('NW1 NW21: a node that is gone keeps nobody waiting', async () => {
  const [node, gone] = [await place.open('v1'), await place.open('v2')]
  await using home = await place.home('v-home', node, gone)
  await using capsule = await createMirrored(home, node, gone)
  await capsule.append('one', { level: 'replicated:2' })
  await gone.close()
  // Without an end to its patience, each of these would wait for ever.
  const patience = { timeoutMs: Number.POSITIVE_INFINITY }
  const { size, mirrors, problem } = await home.network.status(capsule.name, patience)
  assert.deepEqual([size, problem], [1, undefined])
  const states = mirrors.map(({ name, state }) => [formatName(name), state])
  assert.deepEqual(Object.fromEntries(states), {
    [formatName(node.name)]: 'answered',
    [formatName(gone.name)]: 'unreachable',
  })
  await assert.rejects(home.network.linked({ ...patience, node: gone.name }), {
    code: 'NO_MIRROR',
  })
  await node.close()
  const alone = await home.network.status(capsule.name, patience)
  assert.equal(alone.problem?.code, 'NO_MIRROR')
  await assert.rejects(home.network.trace(capsule.name, patience), { code: 'NO_MIRROR' })

  // An address of a ticket that says nothing.
  await using silent = await listenSilently()
  const again = await place.open('v1')
  const ticket = ticketOf(again)
  await using other = await place.home('v-other')
  await other.network.connect({ ...ticket, addresses: [silent.address, ...ticket.addresses] })
  await other.network.linked({ ...patience, node: again.name })
  await again.close()
})

test('NW27: a follow waits for a mirror that is behind, and ends only on evidence', async () => {
  const [ahead, behind] = [await place.open('w1'), await place.open('w2')]
  await using home = await place.home('w-home', ahead, behind)
  await using capsule = await createMirrored(home, ahead, behind)
  await capsule.append('for both', { level: 'replicated:2' })
  const { listen } = behind
  await behind.close()
  cpSync(place.path('w-home'), place.path('w-copy'), { recursive: true })
  cpSync(place.path('state'), place.path('w-state'), { recursive: true })
  await capsule.append('for one', { level: 'replicated:1' })
  await using other = await place.home('w-other', ahead)
  await using evident = await place.home('w-evident', ahead)
  for (const reader of [other, evident]) {
    await using remote = await reader.open(capsule.name)
    assert.equal(remote.size, 2)
  }
  await ahead.close()
  const again = await place.open('w2', { listen })
  const told: unknown[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const onBehind = (sizes: unknown): void => {
    told.push(sizes)
    resolve()
  }
  await other.network.connect(ticketOf(again))
  const opening = other.open(capsule.name, { timeoutMs: 300, onBehind })
  await promise
  await home.network.connect(ticketOf(again))
  await capsule.append('later', { level: 'replicated:1' })
  await using followed = await opening
  assert.deepEqual(told, [{ seen: 2, shown: 1 }])
  assert.deepEqual(await texts(followed.follow({ to: 3 })), ['for both', 'for one', 'later'])

  // The copy of the writer signs another second entry: a root that the reader can contradict.
  const liar = await place.open('w3')
  process.env['XDG_STATE_HOME'] = place.path('w-state')
  await using copy = await openHome({ path: place.path('w-copy') })
  await copy.network.connect(ticketOf(liar))
  await copy.network.addMirror(capsule.name, liar.name)
  await again.close()
  await evident.network.connect(ticketOf(liar))
  const wait = Promise.withResolvers<void>()
  const waiting = evident.open(capsule.name, { timeoutMs: 300, onBehind: () => wait.resolve() })
  await wait.promise
  await using forged = await copy.open(capsule.name)
  const convicted = assert.rejects(waiting, { code: 'EQUIVOCATION' })
  await forged.append('another second', { level: 'replicated:1' })
  await convicted
  process.env['XDG_STATE_HOME'] = place.path('state')
  await liar.close()
})

test('NW8: a mirror that does not hold the capsule shows no older state of it', async () => {
  const holder = await place.open('x1')
  const empty = await place.open('x2', { roles: ['mirror'] })
  await using home = await place.home('x-home', holder)
  await using capsule = await createMirrored(home, holder)
  await capsule.append('one', { level: 'replicated:1' })
  await using reader = await place.home('x-reader', holder, empty)
  await (await reader.open(capsule.name)).close()
  await holder.close()
  await assert.rejects(reader.open(capsule.name, { timeoutMs: 1000 }), { code: 'NOT_FOUND' })
  await empty.close()
})

test('ND23: a node in the home of a writer serves what it writes, and is no copy of it', async () => {
  const names: CapsuleName[] = []
  {
    await using home = await openHome({ path: place.path('z-writer') })
    for (const options of [{ public: true }, {}]) {
      await using capsule = await home.create(options)
      await capsule.append('mine')
      names.push(capsule.name)
    }
  }
  const [open, closed] = names as [CapsuleName, CapsuleName]
  const logged: unknown[] = []
  const node = await place.open('z-writer', {
    roles: ['mirror'],
    log: (_level, event, details) => {
      if (event === 'node.writes') logged.push(details)
    },
  })
  assert.deepEqual(logged, [{ capsules: 2 }])
  await using reader = await place.home('z-reader', node)
  await using remote = await reader.open(open)
  assert.deepEqual(await texts(remote.read()), ['mine'])
  await assert.rejects(reader.open(closed, { timeoutMs: 500 }), { code: 'NOT_FOUND' })
  // Its user appends through it; as a mirror of its own capsule it states nothing.
  await using guest = await place.home('z-writer', node)
  await using capsule = await guest.open(open)
  await capsule.append('through the node')
  const add = guest.network.addMirror(open, node.name, { timeoutMs: 500 })
  await assert.rejects(add, (error) => isLongshoreError(error))
  const own = capsule.append('on no mirror', { level: 'replicated:1', timeoutMs: 500 })
  await assert.rejects(own, { code: 'NO_MIRROR' })
  await node.close()
  // A node in a directory of its own says nothing of the kind.
  const other = await place.open('z-own', {
    roles: ['mirror'],
    log: (_level, event) => assert.notEqual(event, 'node.writes'),
  })
  await other.close()
})

/** Takes connections and says nothing. */
async function listenSilently(): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { address: `tls://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}
