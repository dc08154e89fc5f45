/**
 * Mirrors whose disk has rotted: the only one of a capsule, which its writer fills again, and one
 * of two that has lost a manifest.
 */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Ticket } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { LongshoreNode } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-mirrors-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
const nodes = new Set<LongshoreNode>()
after(async () => {
  for (const node of nodes) await node.close()
  rmSync(directory, { recursive: true })
})

/** What nodes have logged, by event. */
const logged = new EventEmitter()

async function startNode(
  name: string,
  join_: readonly Ticket[] = [],
  at = 'tls://127.0.0.1:0',
): Promise<LongshoreNode> {
  const node = await LongshoreNode.open({
    data: join(directory, name),
    listen: [at],
    join: join_,
    roles: ['router', 'mirror'],
    log: (_level, event) => void logged.emit(`${name} ${event}`),
  })
  nodes.add(node)
  return node
}

async function stopNode(node: LongshoreNode): Promise<string> {
  nodes.delete(node)
  const [address] = node.listen
  await node.close()
  return address as string
}

function rot(name: string, what: string | Uint8Array): void {
  const segments = join(directory, name, 'store/segments')
  for (const file of readdirSync(segments)) {
    const bytes = readFileSync(join(segments, file))
    const at = bytes.indexOf(what)
    if (at < 0) continue
    bytes[at + 3] = (bytes[at + 3] as number) ^ 1
    writeFileSync(join(segments, file), bytes)
    return
  }
  assert.fail('it is not there')
}

const PAYLOADS = Array.from({ length: 400 }, (_, i) => `payload number ${i} of the capsule`)

test('MI31: the only mirror of a capsule is filled again by its writer, as the same node', async () => {
  const first = await startNode('a')
  await using home = await openHome({ path: join(directory, 'a-home') })
  await home.network.connect(first.ticket as Ticket)
  await using capsule = await home.create({ public: true })
  await home.network.addMirror(capsule.name, first.name)
  await capsule.appendMany(PAYLOADS, { level: 'replicated:1' })
  const address = await stopNode(first)
  rot('a', PAYLOADS[200] as string)
  const mended = once(logged, 'a mirror.mended')
  const again = await startNode('a', [], address)
  assert.deepEqual(again.name, first.name)
  await mended
  // Its word counts as before.
  await capsule.append('one more', { level: 'replicated:1' })
  const { mirror, problems } = again.status
  assert.deepEqual([mirror?.damaged, mirror?.mending, mirror?.mended], [0, 0, 1])
  assert.deepEqual(problems, [])
  await stopNode(again)
  await using data = await openHome({ path: join(directory, 'a') })
  await data.compact()
  assert.deepEqual((await data.fsck()).problems, [])
})

test('MI32: a mirror that has lost a manifest gets it from another one, without the writer', async () => {
  const first = await startNode('b')
  const second = await startNode('c', [first.ticket as Ticket])
  const signed = await (async () => {
    await using home = await openHome({ path: join(directory, 'b-home') })
    await home.network.connect(first.ticket as Ticket)
    await using capsule = await home.create({ public: true })
    await home.network.addMirror(capsule.name, first.name)
    await home.network.addMirror(capsule.name, second.name)
    await capsule.appendMany(PAYLOADS, { level: 'replicated:2' })
    return capsule.signedManifest
  })()
  const address = await stopNode(second)
  rot('c', signed)
  const mended = once(logged, 'c mirror.mended')
  const again = await startNode('c', [first.ticket as Ticket], address)
  await mended
  assert.equal(again.status.mirror?.damaged, 0)
  await stopNode(again)
  await using data = await openHome({ path: join(directory, 'c') })
  await data.compact()
  assert.deepEqual((await data.fsck()).problems, [])
})
