/**
 * A mirror in a process of its own, killed while a writer pushes: what it acknowledged is there.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { formatName, parseName, parseTicket } from '@longshore/capsule'
import { askNode, type NodeStatus } from '../src/index.ts'
import { RemoteWriter } from './remote-writer.ts'

const ROUNDS = 5

const directory = mkdtempSync(join(tmpdir(), 'longshore-'))
const data = join(directory, 'data')
const running: ChildProcess[] = []
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Running {
  readonly child: ChildProcess
  readonly ready: Record<string, unknown>
  readonly ended: Promise<number | null>
}

/** A mirror, from its first line on. */
async function start(): Promise<Running> {
  const binary = resolve(import.meta.dirname, '../../../bin/longshore')
  const options = ['--data', data, '--listen', 'tls://127.0.0.1:0', '--log-level', 'error']
  const child = spawn(binary, ['node', 'run', ...options, '--json'], {
    env: { ...process.env, XDG_STATE_HOME: join(directory, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  const ended = new Promise<number | null>((done) => child.on('close', done))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const first = new Promise<string>((done, fail) => {
    lines.once('line', done)
    child.once('close', () => fail(new Error('it ended before it was ready')))
  })
  return { child, ready: JSON.parse(await first), ended }
}

async function sizeOf(writer: RemoteWriter): Promise<number> {
  const { mirror } = (await askNode(data, 'GET /status')) as NodeStatus
  const name = formatName(writer.capsule.name)
  return mirror?.capsules.find((capsule) => capsule.name === name)?.size ?? 0
}

test('ND20 MI6: kill -9 at any moment loses nothing that a mirror acknowledged', async () => {
  const writer = new RemoteWriter(1)
  let principal: unknown
  let acknowledged = 0
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const node = await start()
      principal ??= node.ready['principal']
      assert.equal(node.ready['principal'], principal)
      assert.ok((await sizeOf(writer)) >= acknowledged)
      writer.join(parseTicket(String(node.ready['ticket'])))
      if (round === 0) writer.publish(parseName(String(principal)))
      writer.append(50 * round + 1, 2000)
      const { head } = await writer.next('receipt', ({ head }) => head.size > acknowledged)
      acknowledged = head.size
      // More is on its way when it dies.
      writer.append(200, 2000)
      node.child.kill('SIGKILL')
      await node.ended
    }
    const node = await start()
    assert.ok((await sizeOf(writer)) >= acknowledged)
    node.child.kill('SIGTERM')
    assert.equal(await node.ended, 0)
  } finally {
    await writer.close()
  }
})
