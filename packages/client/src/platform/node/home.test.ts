import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { manifestKey, openCheckpoint, verifyReceipt } from '@longshore/capsule'
import type { Home } from '../../home.ts'
import { collect, createCapsuleAt, newHomePath, openAt } from './testing-home.ts'

const text = (n: number): string => `entry ${n}`

test('HM19 HM20: five lines: a home, a capsule, an entry, a receipt that a stranger verifies', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create({ labels: { sensor: 'door-1' } })
  const ack = await capsule.append('open')
  assert.deepEqual(ack, { index: 0, count: 1, size: 1, level: 'stored' })
  const receipt = await capsule.receipt(ack.index)
  const proven = verifyReceipt(receipt, { name: capsule.name })
  assert.equal(proven.index, 0)
  assert.deepEqual(proven.payload, new TextEncoder().encode('open'))
  assert.equal(home.role, 'holder')
  const [info] = (await home.list()).filter(({ text }) => text === capsule.text)
  assert.equal(info?.size, 1)
  assert.deepEqual(info?.labels, { sensor: 'door-1' })
  assert.equal(info?.writable, true)
})

test('HM20: what was appended is there after closing and opening, in all ways of reading', async () => {
  const path = newHomePath()
  let name: string
  {
    await using home = await openAt(path)
    await using capsule = await home.create()
    name = capsule.text
    await capsule.appendMany(
      Array.from({ length: 600 }, (_, i) => text(i)),
      { timeUs: 1000 },
    )
    await capsule.append('late', { timeUs: 2000 })
    await capsule.append('early', { timeUs: 500 })
  }
  await using home = await openAt(path, { create: false })
  await using capsule = await home.open(name)
  assert.equal(capsule.size, 602)
  assert.equal((await capsule.get(599)).text(), text(599))
  const read = async (options: object) => (await collect(capsule.read(options))).map((e) => e.index)
  assert.deepEqual(await read({ from: 3, to: 6 }), [3, 4, 5])
  assert.deepEqual(await read({ last: 2 }), [600, 601])
  assert.deepEqual(await read({ last: 2, to: 10 }), [8, 9])
  assert.deepEqual(await read({ sinceUs: 2000 }), [600, 601])
  assert.deepEqual(await read({ sinceUs: 2001 }), [])
  assert.deepEqual(await read({ from: 602 }), [])
  assert.equal((await read({})).length, 602)
  await assert.rejects(capsule.get(602), { code: 'INDEX_OUT_OF_RANGE' })
  await assert.rejects(capsule.get(-1), { code: 'INDEX_OUT_OF_RANGE' })
  await assert.rejects(capsule.get(0.5), { code: 'INDEX_OUT_OF_RANGE' })
  await assert.rejects(read({ from: 1, last: 1 }), { code: 'USAGE' })
})

test('HM20: a capsule that is not there, and names that are none', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  await assert.rejects(home.open(capsule.text.toUpperCase()), { code: 'NAME_INVALID' })
  await assert.rejects(home.open('../../etc/passwd'), { code: 'NAME_INVALID' })
  const other = `bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku`
  await assert.rejects(home.open(other), { code: 'NOT_FOUND' })
  const [person] = await home.identities()
  await assert.rejects(home.open(person!.name), { code: 'USAGE' })
  await assert.rejects(openAt(newHomePath(), { create: false }), { code: 'NOT_FOUND' })
})

test('HM18: no capsule is made for an identity whose key file holds another key', async () => {
  const path = newHomePath()
  await using home = await openAt(path)
  const ada = await home.createIdentity({ label: 'Ada' })
  const file = join(path, 'keys', `${ada.text}.key`)
  const seed = fs.readFileSync(file, 'utf8')
  fs.writeFileSync(file, (seed.startsWith('0') ? '1' : '0') + seed.slice(1))
  await assert.rejects(home.create({ identity: ada.name }), { code: 'KEY_UNREADABLE' })
  const terms = { subject: ada.name, notAfterS: 4_000_000_000 }
  const domain = await home.createIdentity({ type: 'domain' })
  const keyOfDomain = join(path, 'keys', `${domain.text}.key`)
  fs.copyFileSync(file, keyOfDomain)
  await assert.rejects(home.admit({ ...terms, domain: domain.name }), { code: 'KEY_UNREADABLE' })
  fs.writeFileSync(file, seed)
  await (await home.create({ identity: ada.name })).close()
})

test('HM17 HM18: identities own capsules, which share the owner key and have their own writer key', async () => {
  await using home = await openAt(newHomePath())
  assert.deepEqual(await home.identities(), [])
  await using first = await home.create()
  const [standard] = await home.identities()
  assert.equal(standard?.isDefault, true)
  const ada = await home.createIdentity({ label: 'Ada' })
  assert.equal(ada.label, 'Ada')
  assert.equal(ada.isDefault, false)
  await using second = await home.create({ identity: ada.name, blind: true, public: true })
  await using third = await home.create({ identity: ada.name })
  const keys = [first, second, third].map(({ manifest }) => ({
    owner: Buffer.from(manifestKey(manifest, 'owner').ed25519).toString('hex'),
    writer: Buffer.from(manifestKey(manifest, 'writer').ed25519).toString('hex'),
  }))
  assert.notEqual(keys[0]!.owner, keys[1]!.owner)
  assert.equal(keys[1]!.owner, keys[2]!.owner)
  assert.notEqual(keys[1]!.writer, keys[2]!.writer)
  assert.deepEqual(second.manifest.authority, ada.authority)
  assert.equal(second.manifest.policy.read, 'any')
  assert.deepEqual(third.manifest.policy.read, [])
  await second.append('x')
  assert.equal((await second.get(0)).kind, 1)
  await assert.rejects(home.create({ identity: second.name }), { code: 'USAGE' })
  await assert.rejects(home.create({ labels: { x: 'y'.repeat(300) } }), { code: 'USAGE' })
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, 'v'.repeat(250)]))
  await assert.rejects(home.create({ labels: many }), { code: 'MANIFEST_TOO_LARGE' })
})

test('HM28: many appends at once, in streams and alone, are all there, each once', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  const single = Array.from({ length: 300 }, (_, i) => capsule.append(`single ${i}`))
  const stream = capsule.appendStream(
    (function* () {
      for (let i = 0; i < 5000; i++) yield `stream ${i}`
    })(),
  )
  let streamed = 0
  for await (const ack of stream) {
    streamed += ack.count
    assert.ok(ack.size >= ack.index + ack.count)
  }
  assert.equal(streamed, 5000)
  const acks = await Promise.all(single)
  assert.deepEqual(new Set(acks.map(({ index }) => index)).size, 300)
  const entries = await collect(capsule.read())
  assert.equal(entries.length, 5300)
  assert.deepEqual(
    entries.map((entry) => entry.text()).filter((t) => t.startsWith('stream')),
    Array.from({ length: 5000 }, (_, i) => `stream ${i}`),
  )
  for (const [i, ack] of acks.entries()) {
    assert.equal(entries[ack.index]!.text(), `single ${i}`)
  }
})

test('HM29: appends that wait for each other leave the event loop to others between them', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  turn()
  for (let i = 0; i < 200; i++) await capsule.append(text(i))
  isDone = true
  assert.ok(turns >= 200, `${turns} turns during 200 appends`)
})

test('HM35: what cannot be appended is refused before any of it is', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  const tooLarge = new Uint8Array(1_048_577)
  await assert.rejects(capsule.append(tooLarge), {
    code: 'PAYLOAD_TOO_LARGE',
    details: { payloadBytes: 1_048_577, payloadBytesMax: 1_048_576 },
  })
  await assert.rejects(capsule.appendMany(['fine', tooLarge]), { code: 'PAYLOAD_TOO_LARGE' })
  await assert.rejects(capsule.append('x', { timeUs: -1 }), { code: 'TIME_INVALID' })
  await assert.rejects(capsule.append('x', { timeUs: 0.5 }), { code: 'TIME_INVALID' })
  await assert.rejects(capsule.append('x', { ext: { lang: 'en' } }), { code: 'USAGE' })
  await assert.rejects(capsule.append('x', { ext: { 'example.com/pi': 3.14 } }), { code: 'USAGE' })
  await assert.rejects(capsule.append('\ud800'), { code: 'USAGE' })
  await assert.rejects(capsule.appendMany([]), { code: 'USAGE' })
  const level = 'witnessed' as 'stored'
  await assert.rejects(capsule.append('x', { level }), { code: 'LEVEL_UNSUPPORTED' })
  await assert.rejects(capsule.append('x', { signal: AbortSignal.abort() }), { code: 'ABORTED' })
  assert.equal(capsule.size, 0)
  assert.throws(() => capsule.checkpoint(), { code: 'NOT_FOUND' })
  const ack = await capsule.append(new Uint8Array(1_048_576), {
    ext: { 'example.com/lang': 'en' },
    timeUs: 0,
  })
  assert.equal(ack.index, 0)
  assert.equal((await capsule.get(0)).header.ext.app.get('example.com/lang'), 'en')
})

test('HM11: a clock that goes back is the writer’s claim and stops nothing', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  for (const timeUs of [9000, 1000, 5000]) await capsule.append('x', { timeUs })
  const times = (await collect(capsule.read())).map((entry) => entry.timeUs)
  assert.deepEqual(times, [9000, 1000, 5000])
})

test('HM23 HM39: follow sees what comes later, ends at its bound, its signal and with the home', async () => {
  const home = await openAt(newHomePath())
  const capsule = await home.create()
  await capsule.append('0')
  const followed = capsule.follow({ to: 3 })[Symbol.asyncIterator]()
  assert.equal((await followed.next()).value?.text(), '0')
  const later = followed.next()
  await capsule.appendMany(['1', '2', '3'])
  assert.equal((await later).value?.text(), '1')
  assert.equal((await followed.next()).value?.text(), '2')
  assert.equal((await followed.next()).done, true)

  const abort = new AbortController()
  const aborted = collect(capsule.follow({ from: 99, signal: abort.signal }))
  const ended = collect(capsule.follow({ from: 99 }))
  abort.abort()
  await assert.rejects(aborted, { code: 'ABORTED' })
  const rejected = assert.rejects(ended, { code: 'CLOSED' })
  await home.close()
  await rejected
  await assert.rejects(capsule.append('x'), { code: 'CLOSED' })
  await assert.rejects(capsule.get(0), { code: 'CLOSED' })
})

test('HM37: a heartbeat is a checkpoint with the time of its writer, which never goes back', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  await assert.rejects(capsule.heartbeat(), { code: 'USAGE' })
  await capsule.append('x')
  const writerKey = manifestKey(capsule.manifest, 'writer')
  const opened = openCheckpoint(await capsule.heartbeat(), { writerKey, name: capsule.name })
  assert.ok(opened.heartbeatS !== undefined)
  const again = openCheckpoint(await capsule.heartbeat(), { writerKey })
  assert.ok(again.heartbeatS! >= opened.heartbeatS)
  assert.equal(openCheckpoint(capsule.checkpoint(), { writerKey }).head.size, 1)
})

test('HM38: an erased payload is gone at once for readers, and provably so', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  await capsule.appendMany(['a', 'secret', 'c', 'd'])
  const before = await capsule.receipt(1)
  const ack = await capsule.erase([1, { start: 3, end: 4 }], 'asked to')
  assert.equal(ack.index, 4)
  const erased = await capsule.get(1)
  assert.equal(erased.state, 'erased')
  assert.equal(erased.payload, undefined)
  assert.throws(() => erased.text(), { code: 'PAYLOAD_ERASED' })
  assert.equal((await capsule.get(2)).text(), 'c')
  verifyReceipt(before, { name: capsule.name })
  assert.equal(verifyReceipt(await capsule.receipt(1)).payload, undefined)
  await assert.rejects(capsule.erase([4]), { code: 'NOT_ERASABLE' })
  await assert.rejects(capsule.erase([9]), { code: 'INDEX_OUT_OF_RANGE' })
  const report = await capsule.verify()
  assert.deepEqual(
    { present: report.present, absent: report.absent, erased: report.erased, size: report.size },
    { present: 3, absent: 0, erased: 2, size: 5 },
  )
})

test('HM8: an unreadable key stops the appends of that capsule and nothing else', async () => {
  const path = newHomePath()
  await using home = await openAt(path)
  await using broken = await home.create()
  await using whole = await home.create()
  const key = join(path, 'keys', `${broken.text}.key`)
  const seed = fs.readFileSync(key)
  fs.writeFileSync(key, 'not a key\n')
  await assert.rejects(broken.append('x'), { code: 'KEY_UNREADABLE' })
  await whole.append('x')
  fs.rmSync(key)
  await assert.rejects(broken.append('x'), { code: 'NOT_A_WRITER' })
  fs.writeFileSync(key, seed)
  assert.equal((await broken.append('x')).size, 1)
})

test('HM15: without a place for anchors nothing is created and nothing is signed', async () => {
  const path = newHomePath()
  const name = await createCapsuleAt(path, 'x')
  const state = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = '/proc/nowhere'
  try {
    await using home = await openAt(path)
    await assert.rejects(home.create(), { code: 'ANCHOR_UNWRITABLE' })
    await using capsule = await home.open(name)
    await assert.rejects(capsule.append('y'), { code: 'ANCHOR_UNWRITABLE' })
    assert.equal((await capsule.get(0)).text(), 'x')
  } finally {
    process.env['XDG_STATE_HOME'] = state
  }
  await using home: Home = await openAt(path)
  await using capsule = await home.open(name)
  assert.equal((await capsule.append('y')).size, 2)
})
