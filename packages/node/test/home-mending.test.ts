/**
 * A home whose disk has rotted, of a writer and of a reader: what mirrors or an export hold puts it
 * right.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { encodeHead, type Ticket } from '@longshore/capsule'
import { type Capsule, type Home, openHome } from '@longshore/client/node'
import { LongshoreNode } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-mending-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
const mirror = await LongshoreNode.open({
  data: join(directory, 'mirror'),
  listen: ['tls://127.0.0.1:0'],
  join: [],
  roles: ['router', 'mirror'],
})
after(async () => {
  await mirror.close()
  rmSync(directory, { recursive: true })
})

const COUNT = 700
const HELD = 690
const payloads = Array.from({ length: COUNT }, (_, i) => `payload number ${i} of the capsule`)

async function openAt(name: string): Promise<Home> {
  const home = await openHome({ path: join(directory, name) })
  await home.network.connect(mirror.ticket as Ticket)
  return home
}

/** A closed home with a capsule of which the mirror holds all entries but the last ten. */
async function createWriter(name: string, heldCount = HELD): Promise<string> {
  const text = await (async () => {
    await using home = await openAt(name)
    await using capsule = await home.create({ public: true })
    await home.network.addMirror(capsule.name, mirror.name)
    for (let at = 0; at < heldCount; at += 100) {
      await capsule.appendMany(payloads.slice(at, Math.min(heldCount, at + 100)))
    }
    await home.network.push(capsule.name)
    return capsule.text
  })()
  // Without the network nobody pushes these.
  await using home = await openAt(name)
  await using capsule = await home.open(text)
  for (const payload of payloads.slice(heldCount)) await capsule.append(payload)
  return text
}

/** Flips a bit in the journal of a closed home wherever this is found; its index may be lost. */
function rot(name: string, what: readonly (string | Uint8Array)[], losesIndex: boolean): void {
  const segments = join(directory, name, 'store/segments')
  let count = 0
  for (const file of readdirSync(segments)) {
    const bytes = readFileSync(join(segments, file))
    for (const wanted of what) {
      const at = bytes.indexOf(wanted)
      if (at < 0) continue
      bytes[at + 3] = (bytes[at + 3] as number) ^ 1
      count++
    }
    writeFileSync(join(segments, file), bytes)
  }
  assert.equal(count, what.length)
  if (losesIndex) rmSync(join(directory, name, 'index'), { recursive: true })
}

async function texts(capsule: Capsule): Promise<string[]> {
  const all: string[] = []
  for await (const entry of capsule.read()) all.push(entry.text())
  return all
}

async function checkSound(home: Home): Promise<void> {
  await home.compact()
  assert.deepEqual((await home.fsck({ repair: true })).problems, [])
}

const DAMAGED = [payloads[0], payloads[17], payloads[480]] as string[]

for (const losesIndex of [false, true]) {
  const how = losesIndex ? 'without its index' : 'with its index'
  test(`NW28 HM62 HM66: the home of a writer, ${how}: pull mends it, and it goes on writing`, async () => {
    const path = `writer-${losesIndex}`
    const name = await createWriter(path)
    rot(path, DAMAGED, losesIndex)
    await using home = await openAt(path)
    await using capsule = await home.open(name)
    await assert.rejects(texts(capsule))
    assert.ok((await home.fsck()).problems.length > 0)
    const { entriesMended, entriesAdded, size } = await home.network.pull(name)
    assert.ok(losesIndex ? entriesMended > 3 : entriesMended === 3, `${entriesMended}`)
    assert.deepEqual([entriesAdded, size], [0, COUNT])
    assert.deepEqual(await texts(capsule), payloads)
    // Also what only this home has, and without a word of the operator.
    assert.equal((await capsule.append('one more')).size, COUNT + 1)
    const { receipts } = await home.network.push(capsule.name)
    assert.equal(receipts[0]?.head.size, COUNT + 1)
    assert.equal((await home.network.pull(name)).entriesMended, 0)
    assert.equal((await capsule.verify()).present, COUNT + 1)
    await checkSound(home)
  })

  test(`NW28 HM62: the home of a reader, ${how}: pull mends it and brings what is new`, async () => {
    const path = `reader-${losesIndex}`
    const name = await createWriter(`${path}-writer`)
    {
      await using home = await openAt(path)
      assert.equal((await home.network.pull(name)).entriesAdded, HELD)
    }
    {
      await using writer = await openAt(`${path}-writer`)
      await using capsule = await writer.open(name)
      await capsule.append('newer', { level: 'replicated:1' })
    }
    rot(path, DAMAGED, losesIndex)
    await using home = await openAt(path)
    // Whoever does not hold the home has the holder mend it.
    await using guest = await openHome({ path: join(directory, path) })
    assert.equal(guest.role, 'guest')
    const { entriesMended, entriesAdded } = await guest.network.pull(name)
    assert.ok(entriesMended >= 3)
    assert.equal(entriesAdded, COUNT - HELD + 1)
    await using capsule = await home.open(name)
    assert.deepEqual(await texts(capsule), [...payloads, 'newer'])
    await checkSound(home)
  })

  test(`EX20 HM64: the home of a writer, ${how}: an export mends it`, async () => {
    const path = `import-${losesIndex}`
    const name = await createWriter(path)
    const exported = join(directory, `${path}-export`)
    {
      await using home = await openAt(`${path}-other`)
      await home.network.pull(name)
      await using capsule = await home.open(name)
      await capsule.exportTiles(exported)
    }
    rot(path, DAMAGED, losesIndex)
    await using home = await openAt(path)
    const report = await home.importTiles(exported)
    assert.ok(report.entriesMended >= 3)
    assert.deepEqual([report.entriesAdded, report.size], [0, COUNT])
    await using capsule = await home.open(name)
    assert.deepEqual(await texts(capsule), payloads)
    assert.equal((await capsule.append('one more')).size, COUNT + 1)
    assert.equal((await home.importTiles(exported)).entriesMended, 0)
    await checkSound(home)
  })

  test(`HM63: a home ${how} whose manifest has rotted gets it from a mirror`, async () => {
    const path = `manifest-${losesIndex}`
    const name = await createWriter(path)
    const signed = await show(path, name, ({ signedManifest }) => signedManifest)
    rot(path, [signed], losesIndex)
    await using home = await openAt(path)
    await home.network.pull(name)
    await using capsule = await home.open(name)
    assert.deepEqual(await texts(capsule), payloads)
    assert.equal((await capsule.append('one more')).size, COUNT + 1)
    await checkSound(home)
  })

  test(`HM62: a home ${how}: damage that no mirror can mend is left as it is, and named`, async () => {
    const path = `beyond-${losesIndex}`
    const name = await createWriter(path)
    rot(path, [payloads[17] as string, payloads[COUNT - 1] as string], losesIndex)
    await using home = await openAt(path)
    await assert.rejects(home.network.pull(name), { code: 'STORE_CORRUPT' })
    await using capsule = await home.open(name).catch(() => undefined)
    if (losesIndex) return
    assert.equal((await capsule?.get(COUNT - 2))?.text(), payloads[COUNT - 2])
  })
}

function show<T>(path: string, name: string, what: (capsule: Capsule) => T): Promise<T> {
  return (async () => {
    await using home = await openAt(path)
    await using capsule = await home.open(name)
    return what(capsule)
  })()
}

test('HM65: a writer whose last head has rotted does not sign another one', async () => {
  const name = await createWriter('head', COUNT)
  const head = await show('head', name, (capsule) => capsule.head)
  assert.ok(head)
  rot('head', [encodeHead(head).subarray(-64)], true)
  await using home = await openAt('head')
  await using capsule = await home.open(name)
  assert.ok(capsule.size < COUNT)
  await assert.rejects(capsule.append('x'), { code: 'STORE_CORRUPT' })
  await home.network.pull(name)
  assert.deepEqual(await texts(capsule), payloads)
  assert.equal((await capsule.append('one more')).size, COUNT + 1)
  assert.equal((await capsule.verify()).present, COUNT + 1)
  await checkSound(home)
})

test('HM65: what a writer has signed and mirrors do not have is not given up', async () => {
  const name = await createWriter('lost')
  const head = await show('lost', name, (capsule) => capsule.head)
  assert.ok(head)
  rot('lost', [encodeHead(head).subarray(-64)], true)
  await using home = await openAt('lost')
  await assert.rejects(home.network.pull(name), { code: 'STORE_CORRUPT' })
  await using capsule = await home.open(name)
  await assert.rejects(capsule.append('x'), { code: 'WRITER_STATE_UNKNOWN' })
  assert.equal((await capsule.get(COUNT - 2)).text(), payloads[COUNT - 2])
})
