/**
 * What the command line says when a node, a mirror or a ticket is not what it should be.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CapsuleName, formatTicket, parseTicket } from '@longshore/capsule'
import { checkLines } from './check-lines.ts'
import { Place } from './longshore-process.ts'
import { failing, runner, startNode } from './network-commands.ts'

test('CL54 NW27: follow waits for a mirror that is behind, and says so once', async () => {
  using place = new Place()
  const ok = runner(place)
  const ahead = await startNode(place, 'n1')
  const behind = await startNode(place, 'n2')
  const away = ['--home', 'other']
  for (const { ticket } of [ahead, behind]) {
    await ok('connect', ['connect', ticket])
    await ok('connect', [...away, 'connect', ticket])
  }
  const capsule = (await place.run(['create', '--public'])).stdout.trim()
  for (const { principal } of [ahead, behind]) {
    await ok('mirror', ['mirror', 'add', capsule, principal])
  }
  await ok('append', ['append', capsule, '--level', 'replicated:2'], 'one\n')
  await behind.stop()
  await ok('append', ['append', capsule, '--level', 'replicated:1'], 'two\n')
  await ok('entry', [...away, 'read', capsule])
  await ahead.stop()
  const late = await startNode(place, 'n2', '--listen', behind.address)
  const read = [...away, 'read', capsule, '--timeout', '5']
  assert.deepEqual(await failing(place, read), [1, 'ROLLBACK'])
  const follow = [...away, 'follow', capsule, '--to', '3', '--raw']
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
  const unknown = await place.run(['connect', mistyped, '--json'])
  const [connected] = checkLines('connect', unknown.stdout)
  assert.equal(connected?.['linked'], false)
  assert.match(String(connected?.['reason']), /^NODE_MISMATCH: another node answers/)
  const mayBeMistyped = /may be mistyped, .*`longshore node ticket --data DIR`/
  assert.match(unknown.stderr, mayBeMistyped)
  const read = ['--home', 'other', 'read', await place.create(), '--timeout', '1']
  const keyOfOther = formatTicket({ ...ticket, tlsKey: parseTicket(one.ticket).tlsKey })
  const connecting = await place.run(['--home', 'other', 'connect', keyOfOther])
  assert.match(connecting.stdout, /^kept, but the node does not answer: .*another TLS key/)
  assert.match((await place.run(read)).stderr, mayBeMistyped)
  const elsewhere = formatTicket({ ...parseTicket(one.ticket), addresses: ticket.addresses })
  const refused = await place.run(['connect', elsewhere, '--timeout', '1'])
  assert.equal(refused.code, 3)
  assert.match(
    refused.stderr,
    /^longshore: NO_MIRROR: the node does not answer at .*; what was known/,
  )
  assert.match(refused.stderr, mayBeMistyped)
  const [again] = await ok('connect', ['connect', one.ticket])
  assert.equal(again?.['linked'], true)
  await one.stop()
  await two.stop()
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
    [['mirror', 'add', capsule, node.ticket], /^USAGE: .*name of a node/],
    [['mirror', 'add', '', principal], /^USAGE: Is a variable of your shell empty/],
    [['connect', principal], /^TICKET_INVALID: .*node ticket prints it/],
    [['push', capsule], /^NOT_FOUND: Append to it first/],
    [['push', capsule, '--copies', '0'], /^USAGE: /],
    [['status', principal], /^USAGE: Name a capsule here/],
    [['read', principal], /^USAGE: Name a capsule here/],
  ]
  for (const [args, said] of cases) assert.match(await next(args), said)
  await node.stop()
  const other = capsule.replace(/(?<=^bafyrei)./, (letter) => (letter === 'a' ? 'b' : 'a'))
  const away = ['read', other, '--timeout', '1']
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
