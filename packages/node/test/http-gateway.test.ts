import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import {
  concatBytes,
  formatName,
  MAIN_BRANCH,
  manifestKey,
  openCheckpoint,
  openManifest,
  RightEdge,
  rootFromTiles,
  tilePath,
} from '@longshore/capsule'
import { MemoryMedium, MemoryStore } from '@longshore/engine'
import {
  type CapsuleFixture,
  createCapsuleFixture,
  Prng,
  SignedBranch,
  StoreDriver,
} from '@longshore/engine/testing'
import { HttpGateway, parseHttpAddress } from '../src/http-gateway.ts'

const SIZE = 600

const prng = new Prng(1)
const store = new MemoryStore(new MemoryMedium())
const driver = new StoreDriver(store)
const open = createCapsuleFixture(prng, { read: 'any' })
const closed = createCapsuleFixture(prng)
const empty = createCapsuleFixture(prng, { read: 'any' })
driver.commit(open.manifest, closed.manifest, empty.manifest)
for (const capsule of [open, closed]) {
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  driver.commit(branch.append(SIZE, { holes: [3] }))
}
const heavy = createCapsuleFixture(prng, { read: 'any' })
driver.commit(heavy.manifest)
driver.commit(
  new SignedBranch(prng.child(), heavy, MAIN_BRANCH).append(1, { payloadBytes: 2 ** 20 }),
)
driver.commit({
  type: 'erase',
  name: open.name,
  branch: MAIN_BRANCH,
  ranges: [{ start: 4, end: 5 }],
})

let isHealthy = true
const gateway = new HttpGateway({
  store,
  showsCapsules: true,
  headOf: (name) => store.state(name, MAIN_BRANCH)?.head,
  metrics: () => 'longshore_up 1\n',
  health: () => ({ ok: isHealthy, role: 'mirror' }),
})
let origin = ''
before(async () => {
  origin = await gateway.listen('127.0.0.1', 0)
})
after(() => gateway.close())

const urlOf = ({ name }: CapsuleFixture, path: string): string =>
  `${origin}/capsule/${formatName(name)}/${path}`

async function bytesAt(path: string): Promise<Uint8Array> {
  const response = await fetch(urlOf(open, path))
  assert.equal(response.status, 200, path)
  return new Uint8Array(await response.arrayBuffer())
}

async function statusAt(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init)
  const problem = (await response.json()) as { code: string; status: number }
  assert.equal(problem.status, response.status)
  return [response.status, problem.code]
}

test('GW1 GW3: a stranger finds checkpoint, manifest, tiles and entries that fit together', async () => {
  const { manifest } = openManifest(await bytesAt('manifest.cbor'), open.name)
  const text = await (await fetch(urlOf(open, 'checkpoint'))).text()
  const writerKey = manifestKey(manifest, 'writer')
  const { head } = openCheckpoint(text, { writerKey, name: open.name, cosigners: [] })
  assert.equal(head.size, SIZE)
  const fetched = new Map<string, Uint8Array>()
  for (const path of ['tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2']) {
    fetched.set(path, await bytesAt(path))
  }
  const tile = (level: number, n: number, width: number): Uint8Array =>
    fetched.get(tilePath(level, n, width)) ?? assert.fail(`${level}/${n}`)
  assert.deepEqual(rootFromTiles({ tile }, SIZE), head.root)
  const bundle = await bytesAt('tile/entries/002.p/88')
  const parts: Uint8Array[] = []
  for (const { header } of store.scan(open.name, MAIN_BRANCH, { start: 512, end: SIZE })) {
    parts.push(new Uint8Array([header.length >> 8, header.length]), header)
  }
  assert.deepEqual(bundle, concatBytes(...parts))
})

test('GW3: every partial tile of every earlier tree is there, and nothing beyond the tree', async () => {
  for (const width of [1, 2, 87]) {
    const bytes = await bytesAt(`tile/0/002.p/${width}`)
    assert.equal(bytes.byteLength, width * 32)
    const edge = RightEdge.empty()
    edge.append(bytes)
    assert.equal(edge.size, width)
    assert.ok((await bytesAt(`tile/entries/002.p/${width}`)).byteLength > width * 34)
  }
  for (const path of ['tile/0/002.p/89', 'tile/0/002', 'tile/0/003', 'tile/2/000.p/1']) {
    assert.deepEqual(await statusAt(urlOf(open, path)), [404, 'NOT_FOUND'], path)
  }
  for (const path of ['tile/0/2', 'tile/00/000', 'tile/0/000.p/0', 'tile/0/000.p/256', 'x', '..']) {
    assert.deepEqual(await statusAt(urlOf(open, path)), [404, 'NOT_FOUND'], path)
  }
})

test('GW5: a client is told what a client can do', async () => {
  const { next } = Object(await (await fetch(urlOf(closed, 'checkpoint'))).json())
  assert.match(next, /^Check the path and the name, or ask another node/)
  const posted = await fetch(urlOf(open, 'checkpoint'), { method: 'POST' })
  assert.equal(Object(await posted.json()).next, 'Use GET or HEAD.')
})

test('GW2: what not everybody may read is answered like what is not there', async () => {
  const stranger = createCapsuleFixture(prng)
  for (const path of ['checkpoint', 'manifest.cbor', 'tile/0/000', 'payload/0']) {
    assert.deepEqual(await statusAt(urlOf(closed, path)), [404, 'NOT_FOUND'])
    assert.deepEqual(await statusAt(urlOf(stranger, path)), [404, 'NOT_FOUND'])
  }
  assert.deepEqual(await statusAt(urlOf(empty, 'checkpoint')), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusAt(`${origin}/capsule/nonsense/checkpoint`), [404, 'NAME_INVALID'])
})

test('GW1 GW4: payloads by index; erased ones are gone, and caches are told for how long', async () => {
  const body = store.entry(open.name, MAIN_BRANCH, 7).body
  assert.deepEqual(await bytesAt('payload/7'), body)
  assert.deepEqual(await statusAt(urlOf(open, 'payload/3')), [404, 'PAYLOAD_ABSENT'])
  assert.deepEqual(await statusAt(urlOf(open, 'payload/4')), [410, 'PAYLOAD_ERASED'])
  for (const index of ['600', '-1', '01', '1e2', '']) {
    assert.equal((await statusAt(urlOf(open, `payload/${index}`)))[0], 404)
  }
  const cacheOf = async (path: string): Promise<string | null> =>
    (await fetch(urlOf(open, path))).headers.get('cache-control')
  assert.match((await cacheOf('tile/0/000')) ?? '', /immutable/)
  assert.equal(await cacheOf('checkpoint'), 'public, max-age=1')
})

test('GW5: only reading, and HEAD is GET without the body', async () => {
  assert.deepEqual(await statusAt(urlOf(open, 'checkpoint'), { method: 'POST' }), [405, 'USAGE'])
  const head = await fetch(urlOf(open, 'tile/0/000'), { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '8192')
  assert.equal((await head.arrayBuffer()).byteLength, 0)
  assert.equal((await fetch(`${origin}/${'a'.repeat(2000)}`)).status, 404)
})

test('GW6: health and metrics', async () => {
  assert.deepEqual(await (await fetch(`${origin}/healthz`)).json(), { ok: true, role: 'mirror' })
  isHealthy = false
  assert.equal((await fetch(`${origin}/healthz`)).status, 503)
  const metrics = await fetch(`${origin}/metrics`)
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal(await metrics.text(), 'longshore_up 1\n')
})

test('GW6: an address has one spelling, and a port that is taken is PORT_TAKEN', async () => {
  assert.deepEqual(parseHttpAddress('127.0.0.1:80'), { host: '127.0.0.1', port: 80 })
  assert.deepEqual(parseHttpAddress('http://[::1]:0'), { host: '::1', port: 0 })
  for (const text of ['', '80', 'https://a:1', 'a:65536', 'a:1/']) {
    assert.throws(() => parseHttpAddress(text), { code: 'USAGE' })
  }
  const { host, port } = parseHttpAddress(origin)
  const second = new HttpGateway({
    store,
    showsCapsules: true,
    headOf: () => undefined,
    metrics: () => '',
    health: () => ({ ok: true }),
  })
  await assert.rejects(second.listen(host, port), { code: 'PORT_TAKEN' })
})

/** Sends `count` requests at once and takes nothing of the answers. */
async function askWithoutReading(url: string, count: number): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.on('error', () => {})
  const request = `GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`
  await new Promise((resolve) => socket.write(request.repeat(count), resolve))
  return socket
}

test('GW7: who asks for more than is taken loses the connection, and nobody else theirs', async () => {
  const greedy = await askWithoutReading(urlOf(open, 'checkpoint'), 17)
  greedy.resume()
  await once(greedy, 'close')
  const patient = await askWithoutReading(urlOf(open, 'checkpoint'), 16)
  let answers = 0
  for await (const chunk of patient) {
    answers += String(chunk).split('HTTP/1.1 200 OK').length - 1
    if (answers === 16) break
  }
  assert.equal(answers, 16)
})

test('GW7: memory for what clients do not take is bounded, and free again when they go', async () => {
  const url = urlOf(heavy, 'payload/0')
  const readers: Socket[] = []
  while (readers.length < 160) readers.push(await askWithoutReading(url, 16))
  const late = await askWithoutReading(url, 16)
  for await (const chunk of late) if (String(chunk).includes('"code":"OVERLOADED"')) break
  assert.equal((await fetch(`${origin}/metrics`)).status, 200)
  for (const reader of readers) reader.destroy()
  let response = await fetch(url)
  for (; response.status !== 200; response = await fetch(url)) await response.arrayBuffer()
  assert.equal((await response.arrayBuffer()).byteLength, 2 ** 20)
})
