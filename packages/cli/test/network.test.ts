/**
 * A home on the network, as the command line shows it: real nodes, real processes.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CapsuleName, formatTicket, parseTicket } from '@longshore/capsule'
import { checkLines } from './check-lines.ts'
import { Place } from './longshore-process.ts'

interface RunningNode {
  readonly principal: string
  readonly ticket: string
  readonly address: string
  stop(): Promise<void>
}

/** A router that is a mirror, too. */
async function startNode(place: Place, data: string, ...options: string[]): Promise<RunningNode> {
  const isListening = options.includes('--listen')
  const listen = isListening ? [] : ['--listen', 'tls://127.0.0.1:0']
  const roles = ['--roles', 'router,mirror']
  const quiet = ['--log-level', 'error', '--json']
  const started = place.start([
    'node',
    'run',
    '--data',
    data,
    ...roles,
    ...listen,
    ...quiet,
    ...options,
  ])
  const { principal, ticket, listen: addresses } = await started.json()
  return {
    principal: String(principal),
    ticket: String(ticket),
    address: String(addresses),
    async stop() {
      started.child.kill('SIGTERM')
      assert.equal((await started.finished).code, 0)
    },
  }
}

/** What a command that succeeds prints, held against its schema. */
function runner(place: Place) {
  return async (schema: string, args: string[], input = ''): Promise<Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await place.run([...args, '--json'], input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return checkLines(schema, stdout)
  }
}

/** The error of a command that fails. */
async function failing(place: Place, args: string[], input = ''): Promise<[unknown, unknown]> {
  const { code, stderr } = await place.run([...args, '--json'], input)
  return [code, checkLines('error', stderr)[0]?.['code']]
}

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

test('CL54 NW27: follow waits for a mirror that is behind, and says so once', async () => {
  using place = new Place()
  const ok = runner(place)
  const ahead = await startNode(place, 'n1')
  const behind = await startNode(place, 'n2')
  for (const { ticket } of [ahead, behind]) await ok('connect', ['connect', ticket])
  const capsule = (await place.run(['create', '--public'])).stdout.trim()
  for (const { principal } of [ahead, behind]) {
    await ok('mirror', ['mirror', 'add', capsule, principal])
  }
  await ok('append', ['append', capsule, '--level', 'replicated:2'], 'one\n')
  await behind.stop()
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'two\n')
  const away = ['--home', 'other']
  for (const { ticket } of [ahead, behind]) await ok('connect', [...away, 'connect', ticket])
  await ok('entry', [...away, 'read', capsule])
  await ahead.stop()
  const late = await startNode(place, 'n2', '--listen', behind.address)
  const read = [...away, 'read', capsule, '--timeout', '2']
  assert.deepEqual(await failing(place, read), [1, 'ROLLBACK'])
  const follow = [...away, 'follow', capsule, '--timeout', '1', '--to', '3', '--raw']
  const following = place.start(follow)
  await following.logged('longshore: the mirrors show 1 of 2 entries seen before: waiting\n')
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'three\n')
  const { code, stdout, stderr } = await following.finished
  assert.deepEqual([code, stdout], [0, 'onetwothree\n'])
  assert.equal(stderr.split('waiting').length, 2)
  await late.stop()
})

test('CL55 CL56 NW19 NW21: a mirror that freed a capsule is named, and keeps nothing from others', async () => {
  using place = new Place()
  const ok = runner(place)
  const [one, two] = [await startNode(place, 'n1'), await startNode(place, 'n2')]
  for (const { ticket } of [one, two]) await ok('connect', ['connect', ticket])
  const capsule = (await place.run(['create', '--public'])).stdout.trim()
  for (const { principal } of [one, two]) await ok('mirror', ['mirror', 'add', capsule, principal])
  await ok('append', ['append', capsule, '--level', 'replicated:2'], 'one\n')
  await ok('node-drop', ['node', 'drop', '--data', 'n1', '--free', capsule])
  await ok('append', ['append', capsule], 'two\n')
  const pushed = await place.run(['push', capsule, '--json'])
  const [error] = checkLines('error', pushed.stderr)
  assert.deepEqual([error?.['code'], Object(error?.['details']).holding], ['NO_MIRROR', 1])
  assert.match(String(error?.['message']), /dropped/)
  const [status] = await ok('status', ['status', capsule])
  const mirrors = status?.['mirrors'] as { principal: string }[]
  const freed = mirrors.find(({ principal }) => principal === one.principal)
  const held = mirrors.find(({ principal }) => principal === two.principal)
  assert.partialDeepStrictEqual(freed, { state: 'freed', size: 0, statedSize: 1, lag: 2 })
  assert.partialDeepStrictEqual(held, { state: 'answered', size: 2, old: false, lag: 0 })
  await one.stop()
  await two.stop()
})

test('CL51: connect says whether this node answers, and keeps a ticket that works', async () => {
  using place = new Place()
  const ok = runner(place)
  const [one, two] = [await startNode(place, 'n1'), await startNode(place, 'n2')]
  await ok('connect', ['connect', one.ticket])
  const ticket = parseTicket(two.ticket)
  const mistyped = formatTicket({ ...ticket, name: ticket.name.toReversed() as CapsuleName })
  const [unknown] = await ok('connect', ['connect', mistyped, '--timeout', '2'])
  assert.equal(unknown?.['linked'], false)
  assert.match(String(unknown?.['reason']), /^NODE_MISMATCH: another node answers/)
  const elsewhere = formatTicket({ ...parseTicket(one.ticket), addresses: ticket.addresses })
  const refused = await place.run(['connect', elsewhere, '--timeout', '1'])
  assert.equal(refused.code, 3)
  assert.match(
    refused.stderr,
    /^longshore: NO_MIRROR: the node does not answer at .*; what was known/,
  )
  assert.match(refused.stderr, /\nCopy the whole ticket again/)
  const [again] = await ok('connect', ['connect', one.ticket])
  assert.equal(again?.['linked'], true)
  await one.stop()
  await two.stop()
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

test('CL10 CL7: whoever makes a mistake with nodes and mirrors is told what to do', async () => {
  using place = new Place()
  const ok = runner(place)
  const capsule = await place.create()
  const next = async (args: string[]): Promise<string> => {
    const { code, stderr } = await place.run([...args, '--json'], 'x\n')
    assert.notEqual(code, 0, args.join(' '))
    const error = checkLines('error', stderr)[0]
    return `${error?.['code']}: ${error?.['next']}`
  }
  const replicated = (level: string): string[] => ['append', capsule, '--level', level]
  assert.match(await next(replicated('replicated:1')), /^NO_MIRROR: .*longshore connect TICKET/)
  const node = await startNode(place, 'n1')
  await ok('connect', ['connect', node.ticket])
  const { principal } = node
  const until = ['--until', '2001-01-01T00:00:00Z']
  const cases: [string[], RegExp][] = [
    [replicated('replicated:1'), /^LEVEL_IMPOSSIBLE: .*longshore mirror add bafyrei/],
    [replicated('replicated:0'), /^USAGE: .*replicated:K with K from 1 to 64/],
    [replicated('witnessed:1'), /^LEVEL_UNSUPPORTED: .*replicated:K/],
    [['mirror', 'remove', capsule, principal], /^NOT_FOUND: .*longshore mirror list bafyrei/],
    [['mirror', 'add', capsule, capsule], /^USAGE: .*name of a node/],
    [['mirror', 'add', principal, capsule], /^USAGE: Name a capsule here/],
    [['grant', capsule, '--to', principal, ...until], /^TIME_INVALID: .*still to come/],
    [['domain', 'admit', capsule, principal, ...until], /^USAGE: .*longshore id list/],
    [['push', capsule], /^NOT_FOUND: Append to it first/],
    [['push', capsule, '--copies', '0'], /^USAGE: /],
    [['status', principal], /^USAGE: Name a capsule here/],
    [['read', principal], /^USAGE: Name a capsule here/],
  ]
  for (const [args, said] of cases) assert.match(await next(args), said)
  await node.stop()
  const away = ['read', capsule.replace(/^bafyrei./, 'bafyreia'), '--timeout', '1']
  assert.match(await next(away), /^NO_MIRROR: Check that this machine has a network/)
  await ok('mirror', ['mirror', 'add', capsule, principal, '--timeout', '1'])
  const pushed = [...replicated('replicated:1'), '--timeout', '1']
  assert.match(await next(pushed), /^NO_MIRROR: `longshore status bafyrei/)
  const status = await place.run(['status', capsule, '--timeout', '1'])
  assert.match(
    status.stderr,
    /^longshore: none of the nodes that this home connects to answers \(tls/,
  )
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
  const admitted = await place.run(['domain', 'admit', domain, person, '--rights', 'read'])
  const join = ['domain', 'join', admitted.stdout.trim()]
  assert.deepEqual(await failing(place, join), [2, 'USAGE'])
  await ok('domain-join', [...away, ...join])
  assert.equal((await ok('entry', read)).length, 1)
  await node.stop()
})
