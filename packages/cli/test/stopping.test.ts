/** How commands end before their end: at a signal, or because nobody reads any more. */
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Place } from './longshore-process.ts'

/** More than are read between two turns of the event loop. */
const ENTRY_COUNT = 2000

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** An environment in which a command gets the signal in the moment in which it begins to listen. */
function signalledWhenListening(
  place: Place,
  signal: keyof typeof EXIT_CODES,
): Record<string, string> {
  const hook = join(place.directory, 'when-listening.mjs')
  writeFileSync(
    hook,
    `process.on('newListener', (name) => {
       if (name === 'SIGTERM') process.kill(process.pid, '${signal}')
     })`,
  )
  return { NODE_OPTIONS: `--import=${hook}` }
}

/** An environment in which a command gets the signal when it loads the library. */
function signalledWhenLoaded(
  place: Place,
  signal: keyof typeof EXIT_CODES,
): { NODE_OPTIONS: string } {
  const hook = join(place.directory, 'when-loaded.mjs')
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module'
     registerHooks({ resolve(specifier, context, next) {
       if (specifier.startsWith('sodium-native')) process.kill(process.pid, '${signal}')
       return next(specifier, context)
     } })`,
  )
  return { NODE_OPTIONS: `--import=${hook}` }
}

async function createFilled(place: Place): Promise<string> {
  const name = await place.create()
  const lines = Array.from({ length: ENTRY_COUNT }, (_, at) => `entry ${at}\n`)
  await place.run(['append', name, '--quiet'], lines.join(''))
  return name
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`CL11 CL13: commands that stop in order end with ${EXIT_CODES[signal]} after ${signal}`, async () => {
    using place = new Place()
    const name = await createFilled(place)
    await place.run(['export', name, 'site'])
    const env = signalledWhenListening(place, signal)
    const calls = [
      ['verify', name],
      ['verify', 'site'],
      ['export', name, 'other'],
      ['import', 'site', '--home', 'other-home'],
      ['read', name],
      ['follow', name],
    ]
    for (const args of calls) {
      const { code, stderr } = await place.start([...args, '--json'], env).finished
      assert.equal(stderr, '', args.join(' '))
      assert.equal(code, EXIT_CODES[signal], args.join(' '))
    }
  })
}

test('CL13: a signal is noticed while entries go to a file as fast as they can', async () => {
  using place = new Place()
  const name = await createFilled(place)
  const env = signalledWhenListening(place, 'SIGINT')
  const { stdout } = await place.shell(`longshore read ${name} > all; echo $?`)
  assert.equal(stdout, '0\n')
  const stopped = await place.shell(`longshore read ${name} > some; echo $?`, env)
  assert.equal(stopped.stdout, '130\n')
  const [all, some] = ['all', 'some'].map((file) => statSync(join(place.directory, file)).size)
  assert.ok(some! < all! / 2, `${some} of ${all} bytes`)
})

test('CL11 CL13: all other commands end at once, as a shell reports it', async () => {
  using place = new Place()
  await place.create()
  const env = signalledWhenLoaded(place, 'SIGTERM')
  for (const command of ['list', 'du', 'fsck', 'compact', 'backup file']) {
    const { stdout, stderr } = await place.shell(`longshore ${command}; echo $?`, env)
    assert.equal(stdout, '143\n', command)
    assert.doesNotMatch(stderr, /longshore:/)
  }
})

test('CL12: follow ends when its reader leaves, also while nothing comes', async () => {
  using place = new Place()
  const name = await place.create()
  await place.run(['append', name], 'one\n')
  const follow = place.start(['follow', name])
  await follow.line()
  follow.child.stdout.destroy()
  const { code, stderr } = await follow.finished
  assert.equal(stderr, '')
  assert.equal(code, 0)
})

const skip = process.platform === 'linux' ? false : 'who reads a pipe is known on Linux only'
test('CL12: follow ends when the reader of its pipe leaves', { skip }, async () => {
  using place = new Place()
  const name = await place.create()
  await place.run(['append', name], 'one\n')
  const script = `(longshore follow ${name} --raw; echo "ended with $?" >&2) | head -c 3`
  const { stdout, stderr } = await place.shell(script)
  assert.equal(stdout, 'one\n')
  assert.equal(stderr, 'ended with 0\n')
})
