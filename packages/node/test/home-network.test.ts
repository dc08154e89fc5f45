import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, test } from 'node:test'
import {
  type CapsuleName,
  type CborValue,
  decodeCbor,
  encodeHead,
  formatHex,
  formatName,
  type Head,
  MAIN_BRANCH,
  openManifest,
  verifyEquivocation,
  verifyReceipt,
} from '@longshore/capsule'
import {
  type Capsule,
  createNodeRuntime,
  EvidenceFiles,
  type HeldHome,
  holdHome,
  openHome,
} from '@longshore/client/node'
import { BranchIntake, committedHead, EntriesVerifier } from '@longshore/engine'
import { createSource, makeEntries } from '@longshore/engine/testing'
import { createMirrored, HomePlace, texts, ticketOf } from './home-place.ts'

const place = new HomePlace()
after(() => place.close())

/** A data directory that nobody holds. */
function hold(name: string): Promise<HeldHome> {
  const path = place.path(name)
  return holdHome({ path, runtime: createNodeRuntime(), onCommit: () => {} })
}

/** Size of the head of which the data of a mirror keeps a heartbeat. */
async function heartbeatAt(data: string, { name }: Capsule): Promise<CborValue | undefined> {
  const held = await hold(data)
  try {
    const note = held.store.note(`mirror/${formatHex(name)}/`)
    const [, , heartbeat] = decodeCbor(note as Uint8Array, 2) as CborValue[]
    return (heartbeat as CborValue[] | null)?.[0]
  } finally {
    await held.close()
  }
}

/** Puts a copy of a capsule into a home, without these payloads. */
async function copyWithout(
  name: CapsuleName,
  holes: readonly number[],
  from: string,
  to: string,
): Promise<void> {
  const [source, target] = [await hold(from), await hold(to)]
  const place = { name, branch: MAIN_BRANCH }
  const signed = openManifest(source.store.manifest(name) as Uint8Array, name)
  const head = committedHead(source.store, name, MAIN_BRANCH) as Head
  const { size } = head
  const intake = new BranchIntake(target.store, signed, MAIN_BRANCH, { holeRangesMax: 100 })
  const verifier = new EntriesVerifier()
  for (let start = 0; start < size; ) {
    const isHole = holes.includes(start)
    const end = isHole ? start + 1 : Math.min(size, ...holes.filter((index) => index > start))
    const request = { id: 0, head: encodeHead(head), size, start, end, wantsBodies: !isHole }
    const message = makeEntries(createSource(source.store, place), request)
    verifier.frame.read(message.bytes)
    intake.accept(verifier, head)
    start = message.end
  }
  const manifest = { type: 'manifest' as const, name, signed: signed.signed }
  await target.driver.submit([manifest, ...(intake.cut(undefined)?.ops ?? [])])
  await source.close()
  await target.close()
}

test('NW1 NW3 NW15 NW17 NW18 NW4 NW21: copies that were asked for are there, and provable', async () => {
  const [one, two] = [await place.open('a1'), await place.open('a2')]
  const receipt = await (async () => {
    await using home = await place.home('a-home', one, two)
    assert.equal(home.network.tickets().length, 2)
    await home.network.connect(ticketOf(two))
    assert.equal(home.network.tickets().length, 2)
    await using capsule = await createMirrored(home, one)
    await assert.rejects(capsule.append('too many', { level: 'replicated:2' }), {
      code: 'LEVEL_IMPOSSIBLE',
    })
    await assert.rejects(capsule.append('x', { level: 'witnessed:1' as 'stored' }), {
      code: 'LEVEL_UNSUPPORTED',
    })
    assert.equal(capsule.size, 0)
    const first = await capsule.append('first', { level: 'replicated:1' })
    assert.deepEqual(
      first.receipts?.map(({ mirror, head }) => [formatName(mirror), head.size]),
      [[formatName(one.name), 1]],
    )
    await home.network.addMirror(capsule.name, two.name)
    const second = await capsule.append('second', { level: 'replicated:2' })
    assert.deepEqual([second.level, second.receipts?.length], ['replicated:2', 2])
    const status = await home.network.status(capsule.name)
    assert.deepEqual(
      status.mirrors.map(({ size, lag, state }) => [size, lag, state]),
      [
        [2, 0, 'answered'],
        [2, 0, 'answered'],
      ],
    )
    return capsule.name
  })()
  // Another process: what the mirrors have stated is in the home.
  await using again = await openHome({ path: place.path('a-home'), readOnly: true })
  await using capsule = await again.open(receipt)
  const verified = verifyReceipt(Buffer.from(await capsule.receipt(1)), { name: receipt })
  assert.equal(verified.level, 'replicated:2')
  await one.close()
  await two.close()
})

test('NW4: a receipt says what mirrors have stated, although newer entries are on no mirror', async () => {
  const [one, two] = [await place.open('m1'), await place.open('m2')]
  const levels = async (capsule: Capsule): Promise<string[]> => {
    const all: string[] = []
    for (let index = 0; index < capsule.size; index++) {
      const receipt = Buffer.from(await capsule.receipt(index))
      all.push(verifyReceipt(receipt, { name: capsule.name }).level)
    }
    return all
  }
  const expected = ['replicated:2', 'replicated:1', 'stored']
  const name = await (async () => {
    await using home = await place.home('m-home', one, two)
    await using capsule = await createMirrored(home, one, two)
    await capsule.append('on both', { level: 'replicated:2' })
    await two.close()
    await capsule.append('on one', { level: 'replicated:1' })
    await one.close()
    await capsule.append('here')
    assert.deepEqual(await levels(capsule), expected)
    return capsule.name
  })()
  {
    await using again = await openHome({ path: place.path('m-home'), readOnly: true })
    await using capsule = await again.open(name)
    assert.deepEqual(await levels(capsule), expected)
  }
  // Of a mirror that is none any more nothing counts.
  await using home = await openHome({ path: place.path('m-home') })
  await home.network.removeMirror(name, two.name)
  await using capsule = await home.open(name)
  assert.deepEqual(await levels(capsule), ['replicated:1', 'replicated:1', 'stored'])
})

for (const postQuantum of [false, true]) {
  const keys = postQuantum ? 'two keys' : 'one key'
  test(`NW25 PU5: a push brings a heartbeat of a writer with ${keys} to the mirrors`, async () => {
    const node = await place.open(`n-${postQuantum}`)
    await using home = await place.home(`n-home-${postQuantum}`, node)
    await home.createIdentity({ postQuantum })
    await using capsule = await home.create({ public: true, postQuantum })
    await home.network.addMirror(capsule.name, node.name)
    await capsule.append('x', { level: 'replicated:1' })
    await home.network.push(capsule.name)
    await using reader = await place.home(`n-other-${postQuantum}`, node)
    await using remote = await reader.open(capsule.name, { freshS: 60 })
    assert.equal(remote.size, 1)
    await node.close()
    assert.equal(await heartbeatAt(`n-${postQuantum}`, capsule), 1)
  })
}

test('NW22: payloads that a home lacks are pulled from whichever mirror has them', async () => {
  const node = await place.open('o1')
  const payloads = Array.from({ length: 600 }, (_, i) => `entry ${i}`)
  const name = await (async () => {
    await using home = await place.home('o-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.appendMany(payloads, { level: 'replicated:1' })
    return capsule.name
  })()
  await copyWithout(name, [0, 1, 300, 599], 'o-home', 'o-other')
  await using other = await place.home('o-other', node)
  await using capsule = await other.open(name)
  const before = await capsule.verify()
  assert.deepEqual([before.size, before.absent], [600, 4])
  const report = await other.network.pull(name)
  assert.deepEqual([report.entriesAdded, report.payloadsAdded], [0, 4])
  assert.deepEqual(await texts(capsule.read()), payloads)
  assert.equal((await other.network.pull(name)).payloadsAdded, 0)
  await node.close()
})

test('NW5 NW7 NW10 NW11 NW12 NW13 NW14 NW22: a capsule that is elsewhere is read, followed, proven and pulled', async () => {
  const node = await place.open('b1')
  await using home = await place.home('b-home', node)
  await using capsule = await createMirrored(home, node)
  const payloads = Array.from({ length: 700 }, (_, i) => `entry ${i}`)
  await capsule.appendMany(payloads, { level: 'replicated:1' })

  await using other = await place.home('b-other', node)
  await using remote = await other.open(capsule.name)
  assert.deepEqual([remote.size, remote.writable], [700, false])
  assert.equal((await remote.get(300)).text(), 'entry 300')
  assert.deepEqual(await texts(remote.read()), payloads)
  assert.deepEqual(await texts(remote.read({ from: 255, to: 515 })), payloads.slice(255, 515))
  assert.deepEqual(await texts(remote.read({ last: 2 })), payloads.slice(-2))
  await assert.rejects(remote.get(700), { code: 'INDEX_OUT_OF_RANGE' })
  await assert.rejects(remote.append('x'), { code: 'NOT_A_WRITER' })
  const { level, index, payload } = verifyReceipt(Buffer.from(await remote.receipt(513)), {
    name: capsule.name,
  })
  assert.deepEqual(
    [level, index, String(Buffer.from(payload ?? []))],
    ['replicated:1', 513, 'entry 513'],
  )
  const { present, absent, size } = await remote.verify()
  assert.deepEqual([present, absent, size], [700, 0, 700])

  const followed: string[] = []
  for await (const entry of remote.follow({ from: 698, to: 703 })) {
    followed.push(entry.text())
    if (entry.index >= 699) await capsule.append(`entry ${entry.index + 1}`)
    // Another process of the home would push it by itself: here it is the one that has appended.
    if (entry.index === 699) void home.network.push(capsule.name)
  }
  assert.deepEqual(followed, ['entry 698', 'entry 699', 'entry 700', 'entry 701', 'entry 702'])

  const report = await other.network.pull(capsule.name)
  assert.equal(report.size, report.entriesAdded)
  assert.ok(report.size >= 703)
  await using copy = await other.open(capsule.name)
  const local = await copy.verify()
  assert.deepEqual([local.present, local.absent], [report.size, 0])
  await node.close()
})

test('NW12: whoever follows a capsule that is still empty gets its first entry', async () => {
  const node = await place.open('l1')
  await using home = await place.home('l-home', node)
  await using capsule = await createMirrored(home, node)
  await using other = await place.home('l-other', node)
  await using remote = await other.open(capsule.name)
  assert.equal(remote.size, 0)
  const first = texts(remote.follow({ to: 1 }))
  await capsule.append('at last', { level: 'replicated:1' })
  assert.deepEqual(await first, ['at last'])
  await node.close()
})

test('NW19 NW20: what mirrors did not get is stored, and delivered later, once and in order', async () => {
  const node = await place.open('c1')
  await using home = await place.home('c-home', node)
  await using capsule = await createMirrored(home, node)
  await capsule.append('before', { level: 'replicated:1' })
  await node.close()
  const name = capsule.text
  await assert.rejects(capsule.append('while away', { level: 'replicated:1', timeoutMs: 300 }), {
    code: 'NO_MIRROR',
    details: { name, size: 2, copies: 1, holding: 0, index: 1, count: 1, level: 'stored' },
  })
  assert.equal(capsule.size, 2)
  await capsule.append('without asking')
  const again = await place.open('c1', { listen: [node.listen[0] as string] })
  const { size, receipts } = await home.network.push(capsule.name)
  assert.deepEqual([size, receipts.map(({ head }) => head.size)], [3, [3]])
  await using other = await place.home('c-other', again)
  await using remote = await other.open(capsule.name)
  assert.deepEqual(await texts(remote.read()), ['before', 'while away', 'without asking'])
  await again.close()
})

test('NW6 NW8 NW9: what cannot be had is said with a code', async () => {
  const node = await place.open('d1')
  await using home = await place.home('d-home', node)
  await using capsule = await createMirrored(home, node)
  await using lonely = await place.home('d-lonely')
  await assert.rejects(lonely.open(capsule.name), { code: 'NOT_FOUND' })
  await assert.rejects(lonely.network.open(capsule.name), { code: 'NO_MIRROR' })
  await capsule.append('x', { level: 'replicated:1' })
  await using other = await place.home('d-other', node)
  await assert.rejects(other.open(capsule.name, { mirrors: 2, timeoutMs: 500 }), {
    code: 'NO_MIRROR',
  })
  await using fresh = await other.open(capsule.name, { freshS: 3600, mirrors: 1 })
  assert.equal(fresh.size, 1)
  const unknown = capsule.name.slice().reverse() as CapsuleName
  await assert.rejects(other.open(unknown, { timeoutMs: 500 }), { code: 'NO_MIRROR' })
  await node.close()
})

test('NW10: a mirror that shows less than was read before is found out', async () => {
  const [ahead, behind] = [await place.open('e1'), await place.open('e2')]
  await using home = await place.home('e-home', ahead, behind)
  await using capsule = await createMirrored(home, ahead, behind)
  await capsule.append('for both', { level: 'replicated:2' })
  const { listen } = behind
  await behind.close()
  await capsule.append('for one', { level: 'replicated:1' })
  {
    await using other = await place.home('e-other', ahead)
    await using remote = await other.open(capsule.name)
    assert.equal(remote.size, 2)
    await ahead.close()
  }
  await home.network.removeMirror(capsule.name, behind.name)
  const again = await place.open('e2', { listen: [listen[0] as string] })
  await using other = await place.home('e-other', again)
  await assert.rejects(other.open(capsule.name, { timeoutMs: 1500 }), { code: 'ROLLBACK' })
  await again.close()
})

test('NW8 NW29 HM70: a writer that has signed two histories is convicted, once and for all', async () => {
  const node = await place.open('g1')
  const name = await (async () => {
    await using home = await place.home('g-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.append('one', { level: 'replicated:1' })
    return capsule.name
  })()
  // A copy of home and anchor together cannot be told from the original.
  cpSync(place.path('g-home'), place.path('g-copy'), { recursive: true })
  cpSync(place.path('state'), place.path('g-state'), { recursive: true })
  {
    await using home = await place.home('g-home')
    await using capsule = await home.open(name)
    await capsule.append('two', { level: 'replicated:1' })
  }
  process.env['XDG_STATE_HOME'] = place.path('g-state')
  await using home = await place.home('g-copy')
  await using capsule = await home.open(name)
  await assert.rejects(capsule.append('another two', { level: 'replicated:1' }), (error) => {
    assert.equal((error as { code: string }).code, 'EQUIVOCATION')
    const { evidence, path } = (error as { details: { evidence: string; path: string } }).details
    assert.deepEqual(readFileSync(path).toString('base64'), evidence)
    assert.deepEqual(verifyEquivocation(readFileSync(path)).sizes, [2, 2])
    return true
  })
  const convicted = { code: 'EQUIVOCATION' }
  await assert.rejects(capsule.append('a third', { level: 'replicated:1' }), convicted)
  // Whatever process comes later knows it, also without the mirror.
  await node.close()
  await using later = await place.home('g-copy')
  assert.equal(later.conviction(name)?.code, 'EQUIVOCATION')
  await using again = await later.open(name)
  assert.deepEqual(await texts(again.read()), ['one', 'another two'])
  await assert.rejects(again.append('a fourth'), convicted)
  assert.equal(again.size, 2)
  await assert.rejects(later.network.push(name), convicted)
  await assert.rejects(later.network.pull(name), convicted)
  await assert.rejects(later.network.open(name), convicted)
  const { conviction, mirrors } = await later.network.status(name)
  assert.equal(conviction?.code, 'EQUIVOCATION')
  assert.deepEqual(
    mirrors.map(({ state }) => state),
    ['unreachable'],
  )
  // The first one stays.
  const kept = String(conviction.details['path'])
  const first = readFileSync(kept)
  assert.deepEqual(verifyEquivocation(first).sizes, [2, 2])
  new EvidenceFiles(dirname(kept)).keep(name, new Uint8Array(9))
  assert.deepEqual(readFileSync(kept), first)
  // A file that convicts nobody is none.
  writeFileSync(String(conviction.details['path']), 'nothing')
  await using last = await openHome({ path: place.path('g-copy'), readOnly: true })
  assert.equal(last.conviction(name), undefined)
  rmSync(String(conviction.details['path']))
  symlinkSync('/dev/zero', String(conviction.details['path']))
  assert.equal(last.conviction(name), undefined)
  process.env['XDG_STATE_HOME'] = place.path('state')
})

test('NW16 MI15: a private capsule is shown to the machines of its owner and to no other', async () => {
  const node = await place.open('h1')
  await using home = await place.home('h-home', node)
  await using capsule = await home.create()
  await home.network.addMirror(capsule.name, node.name)
  await capsule.append('secret', { level: 'replicated:1' })
  const own = await home.network.open(capsule.name)
  assert.deepEqual(await texts(own.read()), ['secret'])
  await own.close()
  await using stranger = await place.home('h-other', node)
  await stranger.createIdentity()
  await assert.rejects(stranger.open(capsule.name, { timeoutMs: 1000 }), { code: 'NOT_FOUND' })
  await node.close()
})

test('NW24: a trace ends at a node that serves the name', async () => {
  const router = await place.open('i1')
  const far = await place.open('i2', { join: [ticketOf(router)] })
  await using home = await place.home('i-home', router, far)
  await using capsule = await createMirrored(home, far)
  await capsule.append('x', { level: 'replicated:1' })
  await using other = await place.home('i-other', router)
  await using remote = await other.open(capsule.name)
  assert.equal(remote.size, 1)
  const { hops, code } = await other.network.trace(capsule.name)
  assert.equal(code, undefined)
  assert.deepEqual(
    hops.slice(1).map(({ principal }) => formatName(principal)),
    [router, far].map(({ name }) => formatName(name)),
  )
  await far.close()
  await router.close()
})

test('NW5 NW18 NW22: a guest of the home writes to mirrors and pulls as its holder does', async () => {
  const node = await place.open('j1')
  await using holder = await place.home('j-home', node)
  await using guest = await openHome({ path: place.path('j-home') })
  assert.deepEqual([holder.role, guest.role], ['holder', 'guest'])
  await using capsule = await createMirrored(guest, node)
  const ack = await capsule.append('by a guest', { level: 'replicated:1' })
  assert.deepEqual([ack.size, ack.receipts?.length], [1, 1])
  await using other = await place.home('j-other', node)
  await using visitor = await openHome({ path: place.path('j-other') })
  assert.equal(visitor.role, 'guest')
  const { size, entriesAdded } = await visitor.network.pull(capsule.name)
  assert.deepEqual([size, entriesAdded], [1, 1])
  await using copy = await other.open(capsule.name)
  assert.equal((await copy.get(0)).text(), 'by a guest')
  await node.close()
})
