import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Place } from './longshore-process.ts'

test('CL3: --version, --help and completion load the command table and no library', async () => {
  using place = new Place()
  const hook = join(place.directory, 'hook.mjs')
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module'
     registerHooks({ load(url, context, next) { console.error(url); return next(url, context) } })`,
  )
  for (const args of [['--version'], ['--help'], ['append', '--help'], ['completion', 'zsh']]) {
    const started = place.start(args, { NODE_OPTIONS: `--import=${hook}` })
    const { code, stderr } = await started.finished
    assert.equal(code, 0)
    const loaded = stderr
      .trim()
      .split('\n')
      .filter((url) => !url.includes('/hook.mjs'))
    assert.ok(loaded.some((url) => url.endsWith('/cli/src/main.ts')))
    for (const url of loaded) assert.match(url, /\/packages\/cli\/|\/longshore-cli\/|^node:/)
    assert.ok(loaded.length < 30, `${loaded.length} modules`)
  }
})

test('CL26: entries are acknowledged while stdin stays open', async () => {
  using place = new Place()
  const name = await place.create()
  const append = place.start(['append', name, '--json'])
  for (let size = 1; size <= 3; size++) {
    append.child.stdin.write('line\n')
    assert.deepEqual(await append.json(), { event: 'acked', size, level: 'stored' })
  }
  append.child.stdin.end('last')
  assert.deepEqual(await append.json(), { event: 'acked', size: 4, level: 'stored' })
  const done = await append.json()
  assert.deepEqual(done, {
    event: 'done',
    name,
    complete: true,
    entries: 4,
    first: 0,
    size: 4,
    storedSize: 4,
    level: 'stored',
  })
  assert.equal((await append.finished).code, 0)
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`CL13 CL27: after ${signal} append commits what it read and says so`, async () => {
    using place = new Place()
    const name = await place.create()
    const append = place.start(['append', name, '--json'])
    append.child.stdin.write('one\ntwo\nunfinished')
    const acked = await append.json()
    assert.equal(acked['event'], 'acked')
    append.child.kill(signal)
    const finished = await append.finished
    assert.equal(finished.code, code)
    assert.equal(finished.stderr, '')
    const done = JSON.parse(finished.stdout.trim().split('\n').at(-1) ?? '')
    assert.equal(done.event, 'done')
    assert.equal(done.complete, false)
    assert.equal(done.entries, 2)
    const read = await place.run(['read', name, '--raw'])
    assert.equal(read.stdout, 'onetwo\n')
  })
}

test('CL33: follow prints what is there and what comes, and ends before --to', async () => {
  using place = new Place()
  const name = await place.create()
  await place.run(['append', name], 'zero\n')
  const follow = place.start(['follow', name, '--json', '--to', '3'])
  assert.equal((await follow.json())['index'], 0)
  await place.run(['append', name], 'one\n')
  assert.equal((await follow.json())['index'], 1)
  await place.run(['append', name], 'two\nthree\n')
  assert.equal((await follow.json())['index'], 2)
  assert.equal((await follow.finished).code, 0)
})

test('CL13 CL33: follow --last 0 begins with what is new and ends at a signal', async () => {
  using place = new Place()
  const name = await place.create()
  await place.run(['append', name], 'old\n')
  const append = place.start(['append', name, '--json'])
  const follow = place.start(['follow', name, '--json', '--last', '0'])
  let first: Record<string, unknown> | undefined
  const following = follow.json().then((entry) => {
    first = entry
  })
  // What is new begins at a moment that only the follower knows: append until it prints.
  while (first === undefined) {
    append.child.stdin.write('new\n')
    await append.json()
  }
  await following
  assert.ok(Number(first['index']) >= 1)
  follow.child.kill('SIGINT')
  assert.equal((await follow.finished).code, 130)
})

test('CL12: a reader that leaves is no error', async () => {
  using place = new Place()
  const name = await place.create()
  await place.run(['append', name], `${'x'.repeat(99)}\n`.repeat(20_000))
  const read = place.start(['read', name])
  await read.line()
  read.child.stdout.destroy()
  const { code, stderr } = await read.finished
  assert.equal(stderr, '')
  assert.equal(code, 0)
})

test('CL12: append goes on when nobody reads what it prints', async () => {
  using place = new Place()
  const name = await place.create()
  const append = place.start(['append', name, '--json'])
  append.child.stdin.write('one\n')
  await append.json()
  append.child.stdout.destroy()
  append.child.stdin.write('two\n')
  append.child.stdin.end('three\n')
  const { code, stderr } = await append.finished
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.equal((await place.run(['read', name, '--raw'])).stdout, 'onetwothree\n')
})

test('CL28: a second appender is forwarded to the first', async () => {
  using place = new Place()
  const name = await place.create()
  const holder = place.start(['append', name, '--json'])
  holder.child.stdin.write('holder\n')
  assert.equal((await holder.json())['size'], 1)
  const guest = place.start(['append', name, '--json'])
  guest.child.stdin.write('guest\n')
  assert.deepEqual(await guest.json(), { event: 'acked', size: 2, level: 'stored' })
  holder.child.stdin.write('holder\n')
  assert.equal((await holder.json())['size'], 3)
  guest.child.stdin.end()
  assert.equal((await guest.finished).code, 0)
  holder.child.stdin.end()
  assert.equal((await holder.finished).code, 0)
  const verified = JSON.parse((await place.run(['verify', name, '--json'])).stdout)
  assert.equal(verified.ok, true)
  assert.equal(verified.size, 3)
})

test('CL28: many appenders at once, each of which may hold the home in turn', async () => {
  using place = new Place()
  const name = await place.create()
  const input = 'line\n'.repeat(3000)
  const runs = Array.from({ length: 6 }, () => place.run(['append', name, '--json'], input))
  for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr)
  const verified = JSON.parse((await place.run(['verify', name, '--json'])).stdout)
  assert.equal(verified.size, 18_000)
})

test('CL27 CL28: when the holder dies, what a guest says was acknowledged is there', async () => {
  using place = new Place()
  const name = await place.create()
  const holder = place.start(['append', name, '--json'])
  holder.child.stdin.write('holder\n')
  await holder.json()
  const guest = place.start(['append', name, '--json'])
  guest.child.stdin.write('guest\n')
  assert.equal((await guest.json())['size'], 2)
  holder.child.kill('SIGKILL')
  await holder.finished
  // The guest takes over, or learns of the death only when this line is on its way.
  guest.child.stdin.end('last\n')
  const { code, stdout, stderr } = await guest.finished
  const done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  assert.equal(done.event, 'done')
  if (code !== 0) {
    assert.equal(code, 3)
    assert.equal(JSON.parse(stderr).code, 'HOLDER_LOST')
  }
  assert.deepEqual([done.complete, done.entries], code === 0 ? [true, 2] : [false, 1])
  const read = await place.run(['read', name, '--raw'])
  assert.equal(read.stdout, code === 0 ? 'holderguestlast\n' : 'holderguest\n')
})
