/** A mirror that is filled from a directory, and what it is asked for before and after. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatTicket, verifyReceipt } from '@longshore/capsule'
import { type Home, openHome } from '@longshore/client/node'
import { LongshoreNode } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-import-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing) await close()
  rmSync(directory, { recursive: true })
})

async function startMirror(name: string): Promise<LongshoreNode> {
  const node = await LongshoreNode.open({
    data: join(directory, name),
    listen: ['tls://127.0.0.1:0'],
    join: [],
    roles: ['mirror'],
  })
  closing.push(() => node.close())
  return node
}

async function openAt(name: string, neighbor?: LongshoreNode): Promise<Home> {
  const home = await openHome({ path: join(directory, name) })
  if (neighbor?.ticket !== undefined) await home.network.connect(formatTicket(neighbor.ticket))
  return home
}

const entriesTaken = ({ status }: LongshoreNode): number | undefined => status.mirror?.entries

test('ND21 MI26: an export fills a mirror that runs; it serves and signs once its owner says so', async () => {
  const mirror = await startMirror('mirror')
  await using home = await openAt('home', mirror)
  await using capsule = await home.create({ public: true })
  const payloads = Array.from({ length: 700 }, (_, i) => `entry ${i}`)
  await capsule.appendMany(payloads)
  const site = join(directory, 'site')
  await capsule.exportTiles(site)
  {
    await using operator = await openAt('mirror')
    assert.equal(operator.role, 'guest')
    assert.equal((await operator.importTiles(site)).entriesAdded, 700)
  }
  await using stranger = await openAt('stranger', mirror)
  await assert.rejects(stranger.open(capsule.name, { timeoutMs: 2000 }), { code: 'NOT_FOUND' })

  await home.network.addMirror(capsule.name, mirror.name)
  assert.equal(entriesTaken(mirror), 0, 'nothing travelled that was there')
  const { receipts } = await home.network.push(capsule.name)
  assert.deepEqual(
    receipts.map(({ head }) => head.size),
    [700],
  )
  const receipt = verifyReceipt(Buffer.from(await capsule.receipt(3)), { name: capsule.name })
  assert.equal(receipt.level, 'replicated:1')
  await using remote = await stranger.open(capsule.name, { mirrors: 1 })
  assert.equal((await remote.get(699)).text(), 'entry 699')
  await capsule.append('entry 700', { level: 'replicated:1' })
  assert.equal(entriesTaken(mirror), 1)

  // From now on entries come from the writer and from other mirrors.
  await using operator = await openAt('mirror')
  await assert.rejects(operator.importTiles(site), { code: 'LOCKED' })
})
