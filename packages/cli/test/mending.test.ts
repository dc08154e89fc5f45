/**
 * A mirror whose disk has rotted, as a process beside others: it mends itself in place.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Place } from './longshore-process.ts'

const LISTEN = ['--listen', 'tls://127.0.0.1:0']

async function ask(place: Place, args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await place.run([...args, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

/** Flips one bit of each of these payloads in the journal below `data`; returns how many. */
function rot(data: string, payloads: readonly string[]): number {
  const directory = join(data, 'store/segments')
  let count = 0
  for (const file of readdirSync(directory)) {
    const bytes = readFileSync(join(directory, file))
    for (const payload of payloads) {
      const at = bytes.indexOf(payload)
      if (at < 0) continue
      bytes[at] = (bytes[at] as number) ^ 1
      count++
    }
    writeFileSync(join(directory, file), bytes)
  }
  return count
}

test('MI28 MI29 ND22: a mirror with a rotten disk mends itself in place, with real processes', async () => {
  using place = new Place()
  const roles = ['--roles', 'router,mirror', '--log-level', 'info']
  const first = place.start(['node', 'run', '--data', 'a', ...LISTEN, ...roles, '--json'])
  const { ticket, principal } = await first.json()
  const joined = [...LISTEN, '--join', String(ticket), ...roles, '--json']
  const second = place.start(['node', 'run', '--data', 'b', ...joined])
  const other = String((await second.json())['principal'])

  const { name } = await ask(place, ['create', '--public'])
  const capsule = String(name)
  await ask(place, ['connect', String(ticket)])
  for (const mirror of [String(principal), other]) {
    await ask(place, ['mirror', 'add', capsule, mirror])
  }
  const payloads = Array.from({ length: 300 }, (_, i) => `payload number ${i} of the capsule`)
  await place.run(['append', capsule, '--lines'], `${payloads.join('\n')}\n`)
  await ask(place, ['push', capsule, '--copies', '2'])

  second.child.kill('SIGTERM')
  await second.finished
  assert.equal(
    rot(join(place.directory, 'b'), [payloads[17] as string, payloads[200] as string]),
    2,
  )
  const again = place.start(['node', 'run', '--data', 'b', ...joined])
  assert.equal((await again.json())['principal'], other, 'the same node')
  await again.logged('mirror.mended')
  await place.run(['append', capsule], 'one more\n')
  await ask(place, ['push', capsule, '--copies', '2'])
  const status = await ask(place, ['node', 'status', '--data', 'b'])
  const mirror = status['mirror'] as Record<string, unknown>
  assert.deepEqual([mirror['damaged'], mirror['mending'], mirror['mended']], [0, 0, 1])
  assert.deepEqual(status['problems'], [])
  // Nothing of the damage is left once the journal is compacted.
  await ask(place, ['compact', '--home', 'b'])
  const { code, stdout } = await place.run(['fsck', '--home', 'b', '--json'])
  assert.equal(code, 0, stdout)
})
