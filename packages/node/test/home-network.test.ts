import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  type Ticket,
  verifyReceipt,
} from '@longshore/capsule'
import {
  type Capsule,
  createNodeRuntime,
  type HeldHome,
  type Home,
  holdHome,
  openHome,
  restoreHome,
} from '@longshore/client/node'
import { BranchIntake, committedHead, EntriesVerifier } from '@longshore/engine'
import { createSource, makeEntries } from '@longshore/engine/testing'
import { LongshoreNode } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-network-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
const nodes = new Set<LongshoreNode>()
after(async () => {
  for (const node of nodes) await node.close()
  rmSync(directory, { recursive: true })
})

/** A node that routes and mirrors, on a port of its own or, started again, on the one it had. */
async function startNode(name: string, join_: readonly Ticket[] = [], at = 'tls://127.0.0.1:0') {
  const node = await LongshoreNode.open({
    data: join(directory, name),
    listen: [at],
    join: join_,
    roles: ['router', 'mirror'],
  })
  nodes.add(node)
  return node
}

async function stopNode(node: LongshoreNode): Promise<void> {
  nodes.delete(node)
  await node.close()
}

function ticketOf({ ticket }: LongshoreNode): Ticket {
  assert.ok(ticket)
  return ticket
}

async function openAt(name: string, ...neighbors: readonly LongshoreNode[]): Promise<Home> {
  const home = await openHome({ path: join(directory, name) })
  for (const neighbor of neighbors) await home.network.connect(ticketOf(neighbor))
  return home
}

async function texts(entries: AsyncIterable<{ text(): string }>): Promise<string[]> {
  const all: string[] = []
  for await (const entry of entries) all.push(entry.text())
  return all
}

/** A data directory that nobody holds. */
function hold(name: string): Promise<HeldHome> {
  const path = join(directory, name)
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

/** A public capsule that these mirrors hold. */
async function createMirrored(home: Home, ...mirrors: readonly LongshoreNode[]): Promise<Capsule> {
  const capsule = await home.create({ public: true })
  for (const mirror of mirrors) await home.network.addMirror(capsule.name, mirror.name)
  return capsule
}

test('NW1 NW3 NW15 NW17 NW18 NW4 NW21: copies that were asked for are there, and provable', async () => {
  const [one, two] = [await startNode('a1'), await startNode('a2')]
  const receipt = await (async () => {
    await using home = await openAt('a-home', one, two)
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
  await using again = await openHome({ path: join(directory, 'a-home'), readOnly: true })
  await using capsule = await again.open(receipt)
  const verified = verifyReceipt(Buffer.from(await capsule.receipt(1)), { name: receipt })
  assert.equal(verified.level, 'replicated:2')
  await stopNode(one)
  await stopNode(two)
})

test('NW4: a receipt says what mirrors have stated, although newer entries are on no mirror', async () => {
  const [one, two] = [await startNode('m1'), await startNode('m2')]
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
    await using home = await openAt('m-home', one, two)
    await using capsule = await createMirrored(home, one, two)
    await capsule.append('on both', { level: 'replicated:2' })
    await stopNode(two)
    await capsule.append('on one', { level: 'replicated:1' })
    await stopNode(one)
    await capsule.append('here')
    assert.deepEqual(await levels(capsule), expected)
    return capsule.name
  })()
  {
    await using again = await openHome({ path: join(directory, 'm-home'), readOnly: true })
    await using capsule = await again.open(name)
    assert.deepEqual(await levels(capsule), expected)
  }
  // Of a mirror that is none any more nothing counts.
  await using home = await openHome({ path: join(directory, 'm-home') })
  await home.network.removeMirror(name, two.name)
  await using capsule = await home.open(name)
  assert.deepEqual(await levels(capsule), ['replicated:1', 'replicated:1', 'stored'])
})

for (const postQuantum of [false, true]) {
  const keys = postQuantum ? 'two keys' : 'one key'
  test(`NW25 PU5: a push brings a heartbeat of a writer with ${keys} to the mirrors`, async () => {
    const node = await startNode(`n-${postQuantum}`)
    await using home = await openAt(`n-home-${postQuantum}`, node)
    await home.createIdentity({ postQuantum })
    await using capsule = await home.create({ public: true, postQuantum })
    await home.network.addMirror(capsule.name, node.name)
    await capsule.append('x', { level: 'replicated:1' })
    await home.network.push(capsule.name)
    await using reader = await openAt(`n-other-${postQuantum}`, node)
    await using remote = await reader.open(capsule.name, { freshS: 60 })
    assert.equal(remote.size, 1)
    await stopNode(node)
    assert.equal(await heartbeatAt(`n-${postQuantum}`, capsule), 1)
  })
}

test('NW22: payloads that a home lacks are pulled from whichever mirror has them', async () => {
  const node = await startNode('o1')
  const payloads = Array.from({ length: 600 }, (_, i) => `entry ${i}`)
  const name = await (async () => {
    await using home = await openAt('o-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.appendMany(payloads, { level: 'replicated:1' })
    return capsule.name
  })()
  await copyWithout(name, [0, 1, 300, 599], 'o-home', 'o-other')
  await using other = await openAt('o-other', node)
  await using capsule = await other.open(name)
  const before = await capsule.verify()
  assert.deepEqual([before.size, before.absent], [600, 4])
  const report = await other.network.pull(name)
  assert.deepEqual([report.entriesAdded, report.payloadsAdded], [0, 4])
  assert.deepEqual(await texts(capsule.read()), payloads)
  assert.equal((await other.network.pull(name)).payloadsAdded, 0)
  await stopNode(node)
})

test('NW5 NW7 NW10 NW11 NW12 NW13 NW14 NW22: a capsule that is elsewhere is read, followed, proven and pulled', async () => {
  const node = await startNode('b1')
  await using home = await openAt('b-home', node)
  await using capsule = await createMirrored(home, node)
  const payloads = Array.from({ length: 700 }, (_, i) => `entry ${i}`)
  await capsule.appendMany(payloads, { level: 'replicated:1' })

  await using other = await openAt('b-other', node)
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
  await stopNode(node)
})

test('NW12: whoever follows a capsule that is still empty gets its first entry', async () => {
  const node = await startNode('l1')
  await using home = await openAt('l-home', node)
  await using capsule = await createMirrored(home, node)
  await using other = await openAt('l-other', node)
  await using remote = await other.open(capsule.name)
  assert.equal(remote.size, 0)
  const first = texts(remote.follow({ to: 1 }))
  await capsule.append('at last', { level: 'replicated:1' })
  assert.deepEqual(await first, ['at last'])
  await stopNode(node)
})

test('NW19 NW20: what mirrors did not get is stored, and delivered later, once and in order', async () => {
  const node = await startNode('c1')
  await using home = await openAt('c-home', node)
  await using capsule = await createMirrored(home, node)
  await capsule.append('before', { level: 'replicated:1' })
  await stopNode(node)
  const name = capsule.text
  await assert.rejects(capsule.append('while away', { level: 'replicated:1', timeoutMs: 300 }), {
    code: 'NO_MIRROR',
    details: { name, size: 2, copies: 1, holding: 0, index: 1, count: 1, level: 'stored' },
  })
  assert.equal(capsule.size, 2)
  await capsule.append('without asking')
  const again = await startNode('c1', [], node.listen[0])
  const { size, receipts } = await home.network.push(capsule.name)
  assert.deepEqual([size, receipts.map(({ head }) => head.size)], [3, [3]])
  await using other = await openAt('c-other', again)
  await using remote = await other.open(capsule.name)
  assert.deepEqual(await texts(remote.read()), ['before', 'while away', 'without asking'])
  await stopNode(again)
})

test('NW6 NW8 NW9: what cannot be had is said with a code', async () => {
  const node = await startNode('d1')
  await using home = await openAt('d-home', node)
  await using capsule = await createMirrored(home, node)
  await using lonely = await openAt('d-lonely')
  await assert.rejects(lonely.open(capsule.name), { code: 'NOT_FOUND' })
  await assert.rejects(lonely.network.open(capsule.name), { code: 'NO_MIRROR' })
  await capsule.append('x', { level: 'replicated:1' })
  await using other = await openAt('d-other', node)
  await assert.rejects(other.open(capsule.name, { mirrors: 2, timeoutMs: 500 }), {
    code: 'NO_MIRROR',
  })
  await using fresh = await other.open(capsule.name, { freshS: 3600, mirrors: 1 })
  assert.equal(fresh.size, 1)
  const unknown = capsule.name.slice().reverse() as CapsuleName
  await assert.rejects(other.open(unknown, { timeoutMs: 500 }), { code: 'NO_MIRROR' })
  await stopNode(node)
})

test('NW10: a mirror that shows less than was read before is found out', async () => {
  const [ahead, behind] = [await startNode('e1'), await startNode('e2')]
  await using home = await openAt('e-home', ahead, behind)
  await using capsule = await createMirrored(home, ahead, behind)
  await capsule.append('for both', { level: 'replicated:2' })
  const { listen } = behind
  await stopNode(behind)
  await capsule.append('for one', { level: 'replicated:1' })
  {
    await using other = await openAt('e-other', ahead)
    await using remote = await other.open(capsule.name)
    assert.equal(remote.size, 2)
    await stopNode(ahead)
  }
  await home.network.removeMirror(capsule.name, behind.name)
  const again = await startNode('e2', [], listen[0])
  await using other = await openAt('e-other', again)
  await assert.rejects(other.open(capsule.name, { timeoutMs: 1500 }), { code: 'ROLLBACK' })
  await stopNode(again)
})

test('NW23: after a restore the writer asks its mirrors, and goes on where it was', async () => {
  const node = await startNode('f1')
  const backup = join(directory, 'f-backup')
  const name = await (async () => {
    await using home = await openAt('f-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.append('one', { level: 'replicated:1' })
    await home.backup(backup)
    await capsule.append('two', { level: 'replicated:1' })
    return capsule.name
  })()
  // The same machine: its anchor says what was signed.
  await restoreHome(backup, { path: join(directory, 'f-same') })
  {
    await using home = await openAt('f-same')
    await using capsule = await home.open(name)
    assert.equal(capsule.size, 1)
    const { index } = await capsule.append('three', { level: 'replicated:1' })
    assert.equal(index, 2)
    assert.deepEqual(await texts(capsule.read()), ['one', 'two', 'three'])
  }
  // Now it says more than anybody holds: what is missing is not signed again.
  {
    await using home = await openAt('f-same')
    await using capsule = await home.open(name)
    await capsule.append('only here')
  }
  await restoreHome(backup, { path: join(directory, 'f-behind') })
  {
    await using home = await openAt('f-behind')
    await using capsule = await home.open(name)
    await assert.rejects(capsule.append('instead', { level: 'replicated:1' }), {
      code: 'WRITER_STATE_UNKNOWN',
    })
    assert.deepEqual(await texts(capsule.read()), ['one', 'two', 'three'])
  }
  // Another machine knows nothing: the mirrors are all there is.
  process.env['XDG_STATE_HOME'] = join(directory, 'f-state')
  await restoreHome(backup, { path: join(directory, 'f-other') })
  {
    await using home = await openAt('f-other')
    await using capsule = await home.open(name)
    const { index } = await capsule.append('four', { level: 'replicated:1' })
    assert.equal(index, 4)
    const record = (await capsule.get(3)).header.ext.control
    assert.equal(record?.type, 'recover')
  }
  await stopNode(node)
  process.env['XDG_STATE_HOME'] = join(directory, 'f-third')
  await restoreHome(backup, { path: join(directory, 'f-alone') })
  {
    await using home = await openAt('f-alone')
    await using capsule = await home.open(name)
    await assert.rejects(capsule.append('five', { timeoutMs: 500 }), {
      code: 'WRITER_STATE_UNKNOWN',
    })
  }
  process.env['XDG_STATE_HOME'] = join(directory, 'state')
})

test('NW8: a writer that has signed two histories is convicted with evidence', async () => {
  const node = await startNode('g1')
  const name = await (async () => {
    await using home = await openAt('g-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.append('one', { level: 'replicated:1' })
    return capsule.name
  })()
  // A copy of home and anchor together cannot be told from the original.
  cpSync(join(directory, 'g-home'), join(directory, 'g-copy'), { recursive: true })
  cpSync(join(directory, 'state'), join(directory, 'g-state'), { recursive: true })
  {
    await using home = await openAt('g-home')
    await using capsule = await home.open(name)
    await capsule.append('two', { level: 'replicated:1' })
  }
  process.env['XDG_STATE_HOME'] = join(directory, 'g-state')
  await using home = await openAt('g-copy')
  await using capsule = await home.open(name)
  await assert.rejects(capsule.append('another two', { level: 'replicated:1' }), (error) => {
    assert.equal((error as { code: string }).code, 'EQUIVOCATION')
    assert.ok((error as { details: { evidence: string } }).details.evidence.length > 100)
    return true
  })
  process.env['XDG_STATE_HOME'] = join(directory, 'state')
  await stopNode(node)
})

test('NW16 MI15: a private capsule is shown to the machines of its owner and to no other', async () => {
  const node = await startNode('h1')
  await using home = await openAt('h-home', node)
  await using capsule = await home.create()
  await home.network.addMirror(capsule.name, node.name)
  await capsule.append('secret', { level: 'replicated:1' })
  const own = await home.network.open(capsule.name)
  assert.deepEqual(await texts(own.read()), ['secret'])
  await own.close()
  await using stranger = await openAt('h-other', node)
  await stranger.createIdentity()
  await assert.rejects(stranger.open(capsule.name, { timeoutMs: 1000 }), { code: 'NOT_FOUND' })
  await stopNode(node)
})

test('NW24: a trace ends at a node that serves the name', async () => {
  const router = await startNode('i1')
  const far = await startNode('i2', [ticketOf(router)])
  await using home = await openAt('i-home', router, far)
  await using capsule = await createMirrored(home, far)
  await capsule.append('x', { level: 'replicated:1' })
  await using other = await openAt('i-other', router)
  await using remote = await other.open(capsule.name)
  assert.equal(remote.size, 1)
  const { hops, code } = await other.network.trace(capsule.name)
  assert.equal(code, undefined)
  assert.deepEqual(
    hops.slice(1).map(({ principal }) => formatName(principal)),
    [router, far].map(({ name }) => formatName(name)),
  )
  await stopNode(far)
  await stopNode(router)
})

test('NW5 NW18 NW22: a guest of the home writes to mirrors and pulls as its holder does', async () => {
  const node = await startNode('j1')
  await using holder = await openAt('j-home', node)
  await using guest = await openHome({ path: join(directory, 'j-home') })
  assert.deepEqual([holder.role, guest.role], ['holder', 'guest'])
  await using capsule = await createMirrored(guest, node)
  const ack = await capsule.append('by a guest', { level: 'replicated:1' })
  assert.deepEqual([ack.size, ack.receipts?.length], [1, 1])
  await using other = await openAt('j-other', node)
  await using visitor = await openHome({ path: join(directory, 'j-other') })
  assert.equal(visitor.role, 'guest')
  const { size, entriesAdded } = await visitor.network.pull(capsule.name)
  assert.deepEqual([size, entriesAdded], [1, 1])
  await using copy = await other.open(capsule.name)
  assert.equal((await copy.get(0)).text(), 'by a guest')
  await stopNode(node)
})
