/** Acknowledgements follow their syncs: in made-up traces, and in a real one by strace. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { checkSyncOrder, STRACE_ARGUMENTS } from './sync-order.ts'

const BIN = resolve(import.meta.dirname, '..', 'bin', 'longshore')
const ENTRY_COUNT = 20

const WRITE = '7 pwritev(9</h/store/segments/1.seg>, [{iov_base="x", iov_len=1}], 1, 0) = 1'
const SYNC = '7 fdatasync(9</h/store/segments/1.seg>) = 0'
const ACK = '7 write(1<pipe:[5]>, "{\\"event\\":\\"acked\\",\\"size\\":1}\\n", 30) = 30'

function violationsOf(...lines: string[]): readonly string[] {
  return checkSyncOrder(lines.join('\n')).violations
}

test('a trace with write, sync, acknowledgement passes, every other order is a violation', () => {
  assert.deepEqual(violationsOf(WRITE, SYNC, ACK, WRITE, WRITE, SYNC, ACK), [])
  assert.equal(violationsOf(WRITE, ACK, SYNC).length, 1)
  assert.equal(violationsOf(WRITE, SYNC, WRITE, ACK).length, 1)
  assert.equal(violationsOf(SYNC, ACK).length, 1)
  assert.equal(violationsOf(WRITE, SYNC.replace('1.seg', '2.seg'), ACK).length, 1)
  assert.equal(violationsOf(WRITE, SYNC.replace('= 0', '= -1 EIO'), ACK).length, 1)
})

test('a sync in a thread counts when it ends, and only for writes before it began', () => {
  const begin = '8 fdatasync(9</h/store/segments/1.seg> <unfinished ...>'
  const end = '8 <... fdatasync resumed>) = 0'
  assert.deepEqual(violationsOf(WRITE, begin, end, ACK), [])
  assert.equal(violationsOf(WRITE, begin, ACK, end).length, 1)
  assert.equal(violationsOf(begin, WRITE, end, ACK).length, 1)
})

const hasStrace = spawnSync('strace', ['-V']).status === 0

test('the real command acknowledges after the sync', {
  skip: hasStrace ? false : 'needs strace',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-strace-'))
  const env = {
    ...process.env,
    LONGSHORE_HOME: join(directory, 'home'),
    XDG_STATE_HOME: join(directory, 'state'),
  }
  const created = spawnSync(BIN, ['create', '--json'], { env, encoding: 'utf8' })
  assert.equal(created.status, 0, created.stderr)
  const { name } = JSON.parse(created.stdout) as { name: string }
  const trace = join(directory, 'trace')
  const args = [...STRACE_ARGUMENTS, '-o', trace, BIN, 'append', name, '--json']
  const child = spawn('strace', args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  let sent = 0
  const sendNext = (): void => void child.stdin.write(`entry ${sent++}\n`)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (!line.includes('acked')) continue
      if (sent < ENTRY_COUNT) sendNext()
      else child.stdin.end()
    }
  })
  sendNext()
  const code = await new Promise((settle) => child.on('close', settle))
  assert.equal(code, 0)
  const order = checkSyncOrder(readFileSync(trace, 'utf8'))
  assert.deepEqual(order.violations, [])
  assert.equal(order.acknowledgements, ENTRY_COUNT)
  assert.ok(order.journalSyncs >= ENTRY_COUNT)
  rmSync(directory, { recursive: true })
})
