import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, type NetConnectOpts, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatName, formatTicket } from '@longshore/capsule'
import { createNodeRuntime, openNodeNetwork } from '@longshore/client/node'
import { askNode, type NodeStatus, readNodeFile } from '../src/index.ts'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
after(() => place.close())

test('ND9: a node that is started again is the same node, and finds its neighbors', async () => {
  const router = await place.open('router', { roles: ['router'] })
  const { ticket } = router
  assert.ok(ticket)
  const mirror = await place.open('mirror', { join: [ticket] })
  await place.logged('node.link-up')
  const { name } = mirror
  await mirror.close()
  await place.logged('node.stopped')
  const restarted = await place.open('mirror', { join: [ticket], http: '127.0.0.1:0' })
  assert.deepEqual(restarted.name, name)
  await place.logged('node.link-up')
  const health = await fetch(`${restarted.http}/healthz`)
  assert.deepEqual(await health.json(), { ok: true, problems: [], name: formatName(name) })
  await restarted.close()
  await router.close()
})

test('ND18: a mirror that stops commits and receipts what it has accepted, and takes no more', async () => {
  const mirror = await place.open('stopping')
  const writer = place.writer(1, mirror)
  writer.append(300)
  await writer.next('receipt', ({ head }) => head.size === 300)
  // On its way when the node is told to stop.
  writer.append(200, 1000)
  await mirror.close()
  writer.append(100)
  const again = await place.open('stopping')
  const capsule = (again.status.mirror?.capsules ?? [])[0]
  assert.equal(capsule?.name, formatName(writer.capsule.name))
  assert.ok(capsule.size >= 300 && capsule.size <= 500, `${capsule.size} entries`)
  // Whatever it holds it has also said so, before it went.
  if (capsule.size > 300) await writer.next('receipt', ({ head }) => head.size === capsule.size)
  await again.close()
})

test('ND18: whoever only connects to a node does not keep it from stopping', async () => {
  const node = await place.open('silent', { http: '127.0.0.1:0' })
  const { hostname, port } = new URL(node.http as string)
  const request = 'POST /drop HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{'
  const sockets = await Promise.all([
    connect({ path: place.path('silent/control') }),
    connect({ path: place.path('silent/control') }, request),
    connect({ path: place.path('silent/socket') }),
    connect({ host: hostname, port: Number(port) }),
    connect({ host: '127.0.0.1', port: Number(new URL(node.listen[0] as string).port) }),
  ])
  await node.close()
  await Promise.all(sockets.map(({ closed }) => closed))
})

test('ND10: whoever breaks off a request to the control socket ends nothing', async () => {
  const node = await place.open('broken-off')
  const request = 'POST /drop HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{'
  const path = place.path('broken-off/control')
  const { socket, closed } = await connect({ path }, request)
  socket.destroy()
  await closed
  const status = (await askNode(place.path('broken-off'), 'GET /status')) as NodeStatus
  assert.equal(status.state, 'running')
  await node.close()
})

interface Silent {
  readonly socket: Socket
  readonly closed: Promise<void>
}

/** Connects, says this, and nothing more. */
async function connect(to: NetConnectOpts, words = ''): Promise<Silent> {
  const socket = createConnection(to)
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  if (words !== '') await new Promise<void>((resolve) => socket.write(words, () => resolve()))
  socket.resume()
  return { socket, closed }
}

test('ND10: node.json and the control socket say who runs; a node that is gone is NODE_NOT_RUNNING', async () => {
  const data = place.path('told')
  await assert.rejects(askNode(data, 'GET /status'), { code: 'NOT_FOUND' })
  const node = await place.open('told')
  const file = readNodeFile(data)
  assert.equal(file.principal, formatName(node.name))
  assert.ok(node.ticket && file.ticket === formatTicket(node.ticket))
  assert.deepEqual(file.listen, node.listen)
  const status = (await askNode(data, 'GET /status')) as NodeStatus
  assert.equal(status.principal, file.principal)
  assert.equal(status.state, 'running')
  await assert.rejects(askNode(data, 'POST /drop', {}), { code: 'USAGE' })
  await assert.rejects(askNode(data, 'GET /nothing'), { code: 'USAGE' })
  await node.close()
  await assert.rejects(askNode(data, 'GET /status'), { code: 'NODE_NOT_RUNNING' })
  assert.equal(readNodeFile(data).principal, file.principal)
})

test('ND10: a data directory that another process or node holds is LOCKED', async () => {
  const node = await place.open('held')
  await assert.rejects(place.open('held'), { code: 'LOCKED' })
  await node.close()
})

test('ND13: a dropped capsule is not served, not advertised and not taken on again', async () => {
  const mirror = await place.open('dropping', {
    roles: ['mirror', 'gateway'],
    http: '127.0.0.1:0',
  })
  const writer = place.writer(2, mirror)
  writer.append(10)
  await writer.next('receipt', ({ head }) => head.size === 10)
  const { name } = writer.capsule
  const page = `${mirror.http}/capsule/${formatName(name)}/checkpoint`
  assert.equal((await fetch(page)).status, 200)
  await mirror.drop(name)
  const lost = await writer.next('failed')
  assert.equal((lost.error as { code?: string }).code, 'POLICY_REFUSED')
  assert.equal((await fetch(page)).status, 404)
  assert.equal(mirror.status.mirror?.capsuleCount, 0)
  await assert.rejects(mirror.drop(name), { code: 'NOT_FOUND' })
  await mirror.close()

  const again = await place.open('dropping')
  assert.equal(again.status.mirror?.capsuleCount, 0)
  const late = place.writer(2, again)
  const refused = await late.next('failed')
  assert.equal((refused.error as { code?: string }).code, 'POLICY_REFUSED')
  assert.deepEqual(again.status.mirror?.refusals, { NOT_FOUND: 1, POLICY_REFUSED: 1 })
  await again.drop(name, { undo: true })
  assert.equal(again.status.mirror?.capsules[0]?.size, 10)
  await again.close()
})

test('ND13: a dropped capsule leaves the disk if it is to be freed, and may come back', async () => {
  const mirror = await place.open('freeing')
  const writer = place.writer(4, mirror)
  writer.append(40, 100_000)
  await writer.next('receipt', ({ head }) => head.size === 40)
  const { name } = writer.capsule
  const before = mirror.status.store.journalBytes
  await mirror.drop(name, { free: true })
  await place.logged('mirror.freed')
  const after = mirror.status.store.journalBytes
  assert.ok(before > 4_000_000 && after < 200_000, `${before} to ${after}`)
  await assert.rejects(mirror.drop(name, { free: true }), { code: 'NOT_FOUND' })
  // It comes back when it is pushed again, and the same is stated of it again.
  await writer.next('failed')
  await mirror.drop(name, { undo: true })
  const late = place.writer(4, mirror)
  late.append(40, 100_000)
  await late.next('receipt', (news) => news.head.size === 40)
  assert.equal(mirror.status.mirror?.capsules[0]?.size, 40)
  late.append(1)
  await late.next('receipt', (news) => news.head.size === 41)
  await mirror.close()
})

test('ND14: what goes beyond the quota is refused before it is stored', async () => {
  const mirror = await place.open('small', { quotaBytes: 2_000_000 })
  const writer = place.writer(3, mirror)
  writer.append(1, 1000)
  await writer.next('receipt', ({ head }) => head.size === 1)
  for (let i = 0; i < 4; i++) writer.append(2, 500_000)
  const { error } = await writer.next('failed')
  assert.equal((error as { code?: string }).code, 'QUOTA_EXCEEDED')
  await mirror.close()
})

test('ND17: an old copy of a data directory comes up as another node, and the one before is silent', async () => {
  const first = await place.open('copied')
  const writer = place.writer(4, first)
  writer.append(3)
  await writer.next('receipt', ({ head }) => head.size === 3)
  const { name } = first
  await first.close()
  const data = place.path('copied')
  cpSync(data, place.path('backup'), { recursive: true })
  const second = await place.open('copied')
  assert.deepEqual(second.name, name, 'a whole directory is the same node')
  const more = place.writer(5, second)
  more.append(3)
  await more.next('receipt', ({ head }) => head.size === 3)
  await second.close()

  rmSync(data, { recursive: true })
  cpSync(place.path('backup'), data, { recursive: true })
  const restored = await place.open('copied')
  await place.logged('node.new-incarnation')
  assert.notDeepEqual(restored.name, name)
  assert.equal(restored.status.mirror?.capsuleCount, 0)
  // Whose it was, the owner decides anew: the certificate names the node before.
  const late = place.writer(6, restored)
  late.append(2)
  await late.next('receipt', ({ head }) => head.size === 2)
  const listed = readFileSync(join(data, 'node.json'), 'utf8')
  assert.ok(listed.includes(formatName(restored.name)))
  await restored.close()
})

test('ND20: a neighbor that is another node than its ticket says is a problem, and named', async () => {
  const right = await place.open('right', { roles: ['router'] })
  const other = await place.open('other', { roles: ['router'] })
  assert.ok(right.ticket && other.ticket)
  const wrong = { ...right.ticket, addresses: other.ticket.addresses }
  const failed = Promise.withResolvers<void>()
  const node = await place.open('misled', {
    join: [wrong],
    log: (_level, event) => {
      if (event === 'link.dial-failed') failed.resolve()
    },
  })
  await failed.promise
  const [problem] = node.health.problems
  assert.equal(problem?.code, 'PEER_LOST')
  assert.match(problem?.message ?? '', /another TLS key/)
  assert.equal(node.health.ok, true)
  for (const each of [node, right, other]) await each.close()
})

test('OV40: a process hears what is published of a capsule that it has subscribed to', async () => {
  const mirror = await place.open('publishing')
  const writer = place.writer(7, mirror)
  assert.ok(mirror.ticket)
  const network = openNodeNetwork({ runtime: createNodeRuntime(), tickets: [mirror.ticket] })
  let heard: Uint8Array | undefined
  writer.append(1)
  await writer.next('receipt', ({ head }) => head.size === 1)
  await network.linked(10_000)
  network.subscribe(writer.capsule.name, (payload) => {
    heard ??= payload?.slice()
  })
  // The subscription arrives when there is a way to the name.
  for (let size = 2; heard === undefined; size++) {
    writer.append(1)
    await writer.next('receipt', ({ head }) => head.size === size)
  }
  assert.ok(heard.length > 0)
  await network.close()
  await mirror.close()
})
