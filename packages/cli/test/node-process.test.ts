/**
 * Nodes as processes: how they start, what they say, and how they end.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { findSchemaProblems } from './json-schema.ts'
import { Place } from './longshore-process.ts'

const directory = resolve(import.meta.dirname, '../../../docs/spec/cli')
const LISTEN = ['--listen', 'tls://127.0.0.1:0']

function check(schema: string, object: Record<string, unknown>): Record<string, unknown> {
  const rules = JSON.parse(readFileSync(join(directory, `${schema}.schema.json`), 'utf8'))
  assert.deepEqual(findSchemaProblems(rules, object), [], JSON.stringify(object))
  return object
}

async function ask(
  place: Place,
  schema: string,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await place.run([...args, '--json'])
  assert.equal(code, 0, stderr)
  return check(schema, JSON.parse(stdout))
}

test('CL46 CL48: a node says when it is ready, shows its status, and ends with 0 after SIGTERM', async () => {
  using place = new Place()
  const roles = ['--roles', 'router,mirror']
  const router = place.start(['node', 'run', '--data', 'a', ...LISTEN, ...roles, '--json'])
  const ready = check('node-run', await router.json())
  assert.equal(ready['event'], 'ready')
  const { ticket } = await ask(place, 'node-ticket', ['node', 'ticket', '--data', 'a'])
  assert.equal(ticket, ready['ticket'])
  const joined = ['--data', 'b', '--join', String(ticket), '--log-level', 'error']
  const mirror = place.start(['node', 'run', ...joined, '--json'])
  const second = check('node-run', await mirror.json())
  assert.equal(second['ticket'], null)
  const status = await ask(place, 'node-status', ['node', 'status', '--data', 'b'])
  assert.equal(status['principal'], second['principal'])

  mirror.child.kill('SIGTERM')
  const ended = await mirror.finished
  assert.deepEqual([ended.code, ended.stderr], [0, ''])
  assert.equal(ended.stdout.trim().split('\n').at(-1), '{"event":"stopped"}')
  router.child.kill('SIGINT')
  assert.equal((await router.finished).code, 130)
  const gone = await place.run(['node', 'status', '--data', 'a', '--json'])
  assert.equal(JSON.parse(gone.stderr)['code'], 'NODE_NOT_RUNNING')
  assert.equal(gone.code, 3)
})

test('CL49 ND16: a node is given its membership while it runs, and may demand it from then on', async () => {
  using place = new Place()
  const domain = (await place.run(['domain', 'new'])).stdout.trim()
  const demanding = ['node', 'run', '--data', 'a', '--domain', domain, '--json', ...LISTEN]
  const refused = await place.run(demanding)
  assert.equal(refused.code, 2)
  const { code, next, details } = JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '')
  assert.equal(code, 'MEMBERSHIP_INVALID')
  assert.match(next, /domain admit bafyrei/)
  const node = place.start(['node', 'run', '--data', 'a', '--json', ...LISTEN])
  const { principal } = await node.json()
  assert.equal(details.node, principal)
  const admit = ['domain', 'admit', domain, String(principal)]
  const { membership } = await ask(place, 'domain-admit', admit)
  const join = ['node', 'join-domain', '--data', 'a', String(membership)]
  assert.equal((await ask(place, 'node-join-domain', join))['domain'], domain)
  const broken = await place.run([...join.slice(0, -1), 'longshoremember1x', '--json'])
  assert.equal(JSON.parse(broken.stderr)['code'], 'MEMBERSHIP_INVALID')
  node.child.kill('SIGTERM')
  await node.finished
  const again = place.start(demanding)
  assert.equal((await again.json())['principal'], principal)
  const status = await ask(place, 'node-status', ['node', 'status', '--data', 'a'])
  assert.equal((status['domain'] as { name: string }).name, domain)
})

test('ND20: a port or a data directory that somebody else has is one sentence, and nothing is lost', async () => {
  using place = new Place()
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  const taken = ['--listen', `tls://127.0.0.1:${port}`]
  const refused = await place.run(['node', 'run', '--data', 'a', ...taken, '--json'])
  server.close()
  assert.equal(refused.code, 3)
  assert.equal(JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '')['code'], 'PORT_TAKEN')
  const node = place.start(['node', 'run', '--data', 'a', ...LISTEN, '--json'])
  await node.json()
  const second = await place.run(['node', 'run', '--data', 'a', ...LISTEN, '--json'])
  assert.equal(second.code, 3)
  assert.equal(JSON.parse(second.stderr)['code'], 'LOCKED')
})

test('ND9 CL48: a node that is killed comes back as the same one; a second signal ends it at once', async () => {
  using place = new Place()
  const start = ['node', 'run', '--data', 'a', ...LISTEN, '--json']
  const first = place.start(start)
  const { principal } = await first.json()
  first.child.kill('SIGKILL')
  await first.finished
  const second = place.start(start)
  assert.equal((await second.json())['principal'], principal)
  second.child.kill('SIGTERM')
  second.child.kill('SIGTERM')
  // The first may have been enough.
  assert.ok([0, 143].includes((await second.finished).code ?? -1))
})
