import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Ack } from '../../capsule.ts'
import {
  collect,
  copyHome,
  createCapsuleAt,
  newHomePath,
  OtherProcess,
  openAt,
  UNTIL_END,
} from './testing-home.ts'

test('HM21 HM40: a guest reads by itself and has the holder write; both see all of it', async () => {
  const path = newHomePath()
  await using holder = new OtherProcess(
    path,
    `const capsule = await home.create({ labels: { by: 'holder' } })
     await capsule.appendMany(['0', '1'])
     print(capsule.text)
     ${UNTIL_END}
     print(capsule.size)
     await home.close()`,
  )
  const name = await holder.line()
  await using home = await openAt(path)
  assert.equal(home.role, 'guest')
  const capsule = await home.open(name)
  assert.equal(capsule.size, 2)
  assert.equal(capsule.writable, true)
  const ack = await capsule.appendMany(['2', '3'])
  assert.deepEqual(ack, { index: 2, count: 2, size: 4, level: 'stored' })
  assert.equal(capsule.size, 4, 'what was acknowledged is there to read')
  assert.equal((await capsule.get(3)).text(), '3')
  const stream = capsule.appendStream(Array.from({ length: 3000 }, (_, i) => `${i + 4}`))
  assert.equal(
    (await collect(stream)).reduce((sum, { count }) => sum + count, 0),
    3000,
  )
  await capsule.erase([0], 'test')
  assert.equal((await capsule.get(0)).state, 'erased')
  assert.match(await capsule.heartbeat(), /longshore\//)
  const made = await home.create({ labels: { by: 'guest' } })
  assert.equal((await made.append('x')).size, 1)
  assert.equal((await home.createIdentity({ label: 'Guest' })).label, 'Guest')
  await assert.rejects(capsule.append(new Uint8Array(2_000_000)), { code: 'PAYLOAD_TOO_LARGE' })
  await assert.rejects(capsule.erase([3004]), { code: 'NOT_ERASABLE' })
  assert.equal((await capsule.verify()).size, 3005)
  assert.equal((await home.usage()).capsuleCount >= 2, true)
  await home.close()
  holder.child.stdin!.end()
  assert.equal(await holder.line(), '3005')
  await holder.end()
})

test('HM21: two homes opened in one process are holder and guest of each other', async () => {
  const path = newHomePath()
  const first = await openAt(path)
  const second = await openAt(path)
  assert.deepEqual([first.role, second.role], ['holder', 'guest'])
  const capsule = await first.create()
  const same = await second.open(capsule.name)
  await Promise.all([capsule.append('a'), same.append('b'), capsule.append('c')])
  assert.equal(same.size, 3)
  assert.equal(capsule.size, 3)
  await first.close()
  assert.equal((await same.append('d')).size, 4)
  assert.equal(second.role, 'holder', 'the guest takes over when it writes')
  assert.equal((await collect(same.read())).length, 4)
  await second.close()
})

test('HM22: a reader needs no lock, sees what others write, and cannot write', async () => {
  const path = newHomePath()
  const home = await openAt(path)
  const capsule = await home.create()
  await capsule.append('0')
  const reader = await openAt(path, { readOnly: true })
  assert.equal(reader.role, 'reader')
  const read = await reader.open(capsule.name)
  assert.equal(read.size, 1)
  await capsule.append('1')
  assert.equal((await read.get(1)).text(), '1')
  await assert.rejects(read.append('x'), { code: 'USAGE' })
  await assert.rejects(reader.create(), { code: 'USAGE' })
  await home.close()
  assert.equal(read.size, 2)
  await reader.close()
  fs.rmSync(`${path}/index`, { recursive: true })
  await using rebuilt = await openAt(path, { readOnly: true })
  const again = await rebuilt.open(capsule.name)
  assert.equal((await again.get(1)).text(), '1')
})

test('HM39: a follower in another process sees appends, a new holder and a compaction', async () => {
  const path = newHomePath()
  const home = await openAt(path)
  const capsule = await home.create()
  await capsule.appendMany(['0', '1'])
  await using follower = new OtherProcess(
    path,
    `const capsule = await home.open(${JSON.stringify(capsule.text)})
     print('ready')
     for await (const entry of capsule.follow({ to: 8 })) print(entry.text())
     await home.close()`,
    { readOnly: true },
  )
  assert.equal(await follower.line(), 'ready')
  const lines: string[] = []
  const next = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) lines.push(await follower.line())
  }
  await next(2)
  await capsule.append('2')
  await next(1)
  await home.close()
  const again = await openAt(path)
  const reopened = await again.open(capsule.name)
  await reopened.appendMany(['3', '4'])
  await next(2)
  await reopened.erase([0])
  await again.compact()
  await reopened.appendMany(['6', '7'])
  await next(3)
  assert.deepEqual(lines, ['0', '1', '2', '3', '4', '', '6', '7'])
  await follower.end()
  await again.close()
})

test('HM46: a killed holder loses nothing it acknowledged; its guest says so and goes on', async () => {
  const path = newHomePath()
  await using holder = new OtherProcess(
    path,
    `const capsule = await home.create()
     print(capsule.text)
     let n = 0
     for (;;) {
       const ack = await capsule.append('holder ' + n++)
       if (ack.size % 50 === 0) print(ack.size)
     }`,
  )
  const name = await holder.line()
  const home = await openAt(path)
  const capsule = await home.open(name)
  const acks: Ack[] = []
  let lost: unknown
  const appending = (async () => {
    for (let n = 0; lost === undefined; n++) {
      await capsule.append(`guest ${n}`).then(
        (ack) => acks.push(ack),
        (error: unknown) => (lost = error),
      )
    }
  })()
  await holder.line()
  await holder.line()
  await holder.kill()
  await appending
  assert.equal((lost as { code: string }).code, 'HOLDER_LOST')
  assert.deepEqual((lost as { details: object }).details, { acknowledged: 0, count: 1 })
  const ack = await capsule.append('after')
  assert.equal(home.role, 'holder')
  const entries = (await collect(capsule.read())).map((entry) => entry.text())
  assert.equal(entries[ack.index], 'after')
  for (const [n, { index }] of acks.entries()) assert.equal(entries[index], `guest ${n}`)
  assert.equal((await capsule.verify()).size, entries.length)
  await home.close()
})

test('HM36 EX19: an old copy of a home signs nothing, until the newest state or the operator says so', async () => {
  const path = newHomePath()
  const name = await createCapsuleAt(path, '0')
  const old = copyHome(path)
  const exported = `${path}-export`
  {
    await using home = await openAt(path)
    await using capsule = await home.open(name)
    await capsule.append('1')
    await capsule.exportTiles(exported)
  }
  await using home = await openAt(old)
  await using capsule = await home.open(name)
  await assert.rejects(capsule.append('other 1'), { code: 'WRITER_STATE_UNKNOWN' })
  await assert.rejects(capsule.erase([0]), { code: 'WRITER_STATE_UNKNOWN' })
  await assert.rejects(capsule.heartbeat(), { code: 'WRITER_STATE_UNKNOWN' })
  assert.equal(capsule.size, 1)
  const report = await home.importTiles(exported)
  assert.deepEqual([report.entriesAdded, report.size], [1, 2])
  const ack = await capsule.append('2')
  assert.equal(ack.index, 2)
  assert.equal((await capsule.verify()).size, 3)
})

test('HM16 HM36: two copies in use at the same time: one writes, the other reads', async () => {
  const path = newHomePath()
  const name = await createCapsuleAt(path, '0')
  const copy = copyHome(path)
  await using home = await openAt(path)
  await using capsule = await home.open(name)
  await capsule.append('1')
  await using other = await openAt(copy)
  await using same = await other.open(name)
  assert.equal((await same.get(0)).text(), '0')
  await assert.rejects(same.append('other 1'), { code: 'LOCKED' })
})

test('HM15: after a crash between sync and anchor the anchor is brought up before a head is seen', async () => {
  const path = newHomePath()
  const name = await createCapsuleAt(path, '0')
  const anchor = join(process.env['XDG_STATE_HOME'] as string, 'longshore/anchors', name)
  const before = fs.readFileSync(anchor)
  const writer = new OtherProcess(
    path,
    `const capsule = await home.open(${JSON.stringify(name)})
     await capsule.append('1')
     print('written')
     await new Promise((resolve) => setInterval(resolve, 1e6))`,
  )
  await writer.line()
  const after = fs.readFileSync(anchor)
  await writer.kill()
  // What a crash in that moment would have left.
  fs.writeFileSync(anchor, before)
  const home = await openAt(path)
  assert.deepEqual(fs.readFileSync(anchor), after)
  await home.close()
  // Closed in order: nothing to look at, so opening stays cheap however many capsules there are.
  fs.writeFileSync(anchor, before)
  const again = await openAt(path)
  assert.deepEqual(fs.readFileSync(anchor), before)
  await again.close()
})
