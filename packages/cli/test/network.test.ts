/**
 * A home on the network, as the command line shows it: real nodes, real processes.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkLines } from './check-lines.ts'
import { Place } from './longshore-process.ts'
import { failing, runner, startNode } from './network-commands.ts'

test('CL51 CL52 CL53 CL55 CL56: a capsule on two mirrors, from its creation to its copy', async () => {
  using place = new Place()
  const ok = runner(place)
  const [one, two] = [await startNode(place, 'n1'), await startNode(place, 'n2')]
  for (const { ticket, principal } of [one, two]) {
    const [connected] = await ok('connect', ['connect', ticket])
    assert.deepEqual([connected?.['principal'], connected?.['linked']], [principal, true])
  }
  const [{ name } = {}] = await ok('create', ['create', '--public', '--copies', '2'])
  const capsule = String(name)
  const [granted] = await ok('grant', ['grant', capsule, '--to', one.principal, '--until', '30d'])
  assert.deepEqual(granted?.['rights'], ['advertise', 'serve'])
  await ok('mirror', ['mirror', 'add', capsule, one.principal])
  await ok('mirror', ['mirror', 'add', capsule, two.principal])
  const level = ['--level', 'replicated:2']
  const lines = await ok('append', ['append', capsule, ...level], 'one\ntwo\n')
  const receipts = lines.at(-2)?.['receipts'] as { principal: string; size: number }[]
  assert.deepEqual(
    receipts.map(({ size }) => size),
    [2, 2],
  )
  assert.deepEqual(
    receipts.map(({ principal }) => principal).sort(),
    [one.principal, two.principal].sort(),
  )
  const known = await ok('mirror', ['mirror', 'list', capsule])
  assert.deepEqual(
    known.map(({ counts, size }) => [counts, size]),
    [
      [true, 2],
      [true, 2],
    ],
  )

  await two.stop()
  const late = ['append', capsule, ...level, '--timeout', '1']
  const failed = await place.run([...late, '--json'], 'three\n')
  assert.deepEqual([failed.code, checkLines('error', failed.stderr)[0]?.['code']], [3, 'NO_MIRROR'])
  const done = checkLines('append', failed.stdout).at(-1) ?? {}
  assert.deepEqual(
    ['complete', 'entries', 'first', 'size', 'storedSize', 'level'].map((key) => done[key]),
    [false, 0, null, 2, 3, 'replicated:2'],
  )
  const [status] = await ok('status', ['status', capsule, '--timeout', '2'])
  const states = status?.['mirrors'] as { state: string; old: boolean; size: number }[]
  assert.deepEqual([status?.['size'], status?.['local']], [3, true])
  assert.deepEqual(states.map(({ state, old, size }) => `${state} ${old} ${size}`).sort(), [
    'answered false 3',
    'unreachable true 2',
  ])
  const text = await place.run(['status', capsule, '--timeout', '2'])
  assert.match(text.stdout, / {2}2 entries \d+ s ago {2}unreachable\n/)
  await ok('mirror-remove', ['mirror', 'remove', capsule, two.principal])
  const [pushed] = await ok('push', ['push', capsule])
  assert.equal(pushed?.['size'], 3)

  await ok('connect', ['--home', 'other', 'connect', one.ticket])
  const hops = await ok('trace', ['--home', 'other', 'trace', capsule])
  assert.equal(hops.at(-1)?.['principal'], one.principal)
  const [pulled] = await ok('pull', ['--home', 'other', 'pull', capsule])
  assert.equal(pulled?.['entriesAdded'], 3)
  await ok('verify', ['--home', 'other', 'verify', capsule])
  await one.stop()
})

test('CL54: what is elsewhere is read, followed and proven like what is here', async () => {
  using place = new Place()
  const ok = runner(place)
  const node = await startNode(place, 'n1')
  await ok('connect', ['connect', node.ticket])
  const capsule = (await place.run(['create', '--public'])).stdout.trim()
  await ok('mirror', ['mirror', 'add', capsule, node.principal])
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'one\ntwo\n')

  const away = ['--home', 'other']
  await ok('connect', [...away, 'connect', node.ticket])
  const entries = await ok('entry', [...away, 'read', capsule, '--mirrors', '1', '--fresh', '600'])
  assert.equal(entries.length, 2)
  await ok('verify', [...away, 'verify', capsule])
  await ok('receipt', [...away, 'receipt', capsule, '1', '-o', 'proof'])
  const [proven] = await ok('verify', ['verify', 'proof', '--name', capsule])
  assert.deepEqual([proven?.['level'], proven?.['leftOut']], ['replicated:1', []])
  await place.shell("grep -v '/mirror ' proof > less")
  const less = await place.run(['verify', 'less', '--name', capsule, '--json'])
  const [said] = checkLines('verify', less.stdout)
  const message = 'its cosignature is not on the checkpoint'
  const lacking = { name: node.principal, part: 'mirror', code: 'SIGNATURE_MISSING', message }
  assert.deepEqual([said?.['level'], said?.['leftOut']], ['stored', [lacking]])
  assert.equal(
    less.stderr,
    `longshore: SIGNATURE_MISSING: a mirror does not count: ${node.principal}: ${message}\n`,
  )
  const following = place.start([...away, 'follow', capsule, '--from', '1', '--to', '3', '--json'])
  assert.equal((await following.json())['index'], 1)
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'three\n')
  assert.equal((await following.json())['index'], 2)
  assert.equal((await following.finished).code, 0)
  await node.stop()
})

test('CL51 CL52 CL57: what cannot be is said with a code, and nothing is lost', async () => {
  using place = new Place()
  assert.deepEqual(await failing(place, ['connect', 'longshore1nothing']), [2, 'TICKET_INVALID'])
  assert.equal(existsSync(join(place.directory, 'home')), false)
  const capsule = await place.create()
  const node = capsule.replace(/^bafyrei./, 'bafyreia')
  const remove = ['mirror', 'remove', capsule, node]
  assert.deepEqual(await failing(place, remove), [3, 'NOT_FOUND'])
  assert.deepEqual(await failing(place, ['status', capsule]), [3, 'NO_MIRROR'])
  assert.deepEqual(await failing(place, ['create', '--public', '--read', capsule]), [2, 'USAGE'])
  assert.deepEqual(await failing(place, ['create', '--copies', '65']), [2, 'USAGE'])
  const past = ['grant', capsule, '--to', node, '--until', '2001-01-01T00:00:00Z']
  assert.deepEqual(await failing(place, past), [2, 'TIME_INVALID'])
  const impossible = ['append', capsule, '--level', 'replicated:2']
  assert.deepEqual(await failing(place, impossible, 'x\n'), [3, 'NO_MIRROR'])
  const witnessed = ['append', capsule, '--level', 'witnessed:1']
  assert.deepEqual(await failing(place, witnessed, 'x\n'), [3, 'LEVEL_UNSUPPORTED'])
})

test('CL53 CL57 NW17: a mirror outside the domains of the policy does not count', async () => {
  using place = new Place()
  const ok = runner(place)
  const node = await startNode(place, 'n1')
  await ok('connect', ['connect', node.ticket])
  const domain = (await place.run(['domain', 'new'])).stdout.trim()
  const held = ['create', '--public', '--hold', domain]
  const capsule = (await place.run(held)).stdout.trim()
  const [outside] = await ok('mirror', ['mirror', 'add', capsule, node.principal])
  const { code } = Object(outside?.['problem'])
  assert.deepEqual([outside?.['counts'], code], [false, 'POLICY_REFUSED'])
  const append = ['append', capsule, '--level', 'replicated:1']
  assert.deepEqual(await failing(place, append, 'x\n'), [3, 'LEVEL_IMPOSSIBLE'])
  const admitted = await place.run(['domain', 'admit', domain, node.principal])
  const membership = admitted.stdout.trim()
  await ok('node-join-domain', ['node', 'join-domain', '--data', 'n1', membership])
  const [mirror] = await ok('mirror', ['mirror', 'add', capsule, node.principal])
  assert.deepEqual([mirror?.['counts'], mirror?.['domains']], [true, [domain]])
  await ok('append', append, 'x\n')
  await node.stop()
})

test('CL58 NW16: who is admitted to read for a domain reads what the domain may read', async () => {
  using place = new Place()
  const ok = runner(place)
  const node = await startNode(place, 'n1')
  await ok('connect', ['connect', node.ticket])
  const domain = (await place.run(['domain', 'new'])).stdout.trim()
  const capsule = (await place.run(['create', '--read', domain])).stdout.trim()
  await ok('mirror', ['mirror', 'add', capsule, node.principal])
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'for members\n')

  const away = ['--home', 'other']
  const person = (await place.run([...away, 'id', 'new'])).stdout.trim()
  await ok('connect', [...away, 'connect', node.ticket])
  const read = [...away, 'read', capsule, '--timeout', '2']
  assert.deepEqual(await failing(place, read), [3, 'NOT_FOUND'])
  const { stderr } = await place.run(read)
  assert.match(stderr, /NOT_FOUND: no mirror that answers has the capsule, or may show it.*\nCheck/)
  const admitted = await place.run(['domain', 'admit', domain, person, '--rights', 'read'])
  const join = ['domain', 'join', admitted.stdout.trim()]
  assert.deepEqual(await failing(place, join), [2, 'USAGE'])
  assert.match((await place.run(join)).stderr, /\nAsk the owner of the domain for one made for/)
  await ok('domain-join', [...away, ...join])
  assert.equal((await ok('entry', read)).length, 1)
  await node.stop()
})
