import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Ticket } from '@longshore/capsule'
import { LongshoreNode, type NodeRole } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-node-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
const nodes: LongshoreNode[] = []
after(async () => {
  for (const node of nodes) await node.close()
  rmSync(directory, { recursive: true })
})

async function open(
  name: string,
  roles: readonly NodeRole[],
  tickets: readonly Ticket[],
  log: (event: string) => void = () => {},
): Promise<LongshoreNode> {
  const node = await LongshoreNode.open({
    data: join(directory, name),
    listen: ['tls://127.0.0.1:0'],
    http: '127.0.0.1:0',
    join: tickets,
    roles,
    labels: { name },
    log: (_level, event) => log(event),
  })
  nodes.push(node)
  return node
}

test('ND9: a node that is started again is the same node, and finds its neighbors', async () => {
  const router = await open('router', ['router'], [])
  const { ticket } = router
  assert.ok(ticket)
  const linked = Promise.withResolvers<void>()
  const mirror = await open('mirror', ['mirror'], [ticket], (event) => {
    if (event === 'node.link-up') linked.resolve()
  })
  await linked.promise
  const { name } = mirror
  await mirror.close()
  const again = Promise.withResolvers<void>()
  const restarted = await open('mirror', ['mirror'], [ticket], (event) => {
    if (event === 'node.link-up') again.resolve()
  })
  assert.deepEqual(restarted.name, name)
  await again.promise
  const health = await fetch(`${restarted.http}/healthz`)
  assert.equal(((await health.json()) as { ok: boolean }).ok, true)
})
