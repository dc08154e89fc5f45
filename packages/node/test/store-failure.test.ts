/**
 * A mirror in a process of its own whose disk fails: calls of the system end with the errors of a
 * broken or a full disk, in the midst of its work (strace puts them in).
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { formatName, parseName, parseTicket } from '@longshore/capsule'
import { askNode, type NodeStatus } from '../src/index.ts'
import { RemoteWriter } from './remote-writer.ts'

const BIN = resolve(import.meta.dirname, '../../../bin/longshore')
const directory = mkdtempSync(join(tmpdir(), 'longshore-failure-'))
const running: ChildProcess[] = []
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

const hasStrace = spawnSync('strace', ['-V']).status === 0
const skip = hasStrace ? false : 'needs strace'

interface Running {
  readonly child: ChildProcess
  readonly ready: Record<string, unknown>
  /** Exit status, and everything on stderr. */
  readonly ended: Promise<{ readonly status: number | null; readonly errors: string }>
}

/** A mirror from its first line on; `fault` is what strace injects. */
async function start(data: string, fault?: string): Promise<Running> {
  const node = [BIN, 'node', 'run', '--data', data, '--listen', 'tls://127.0.0.1:0', '--json']
  const traced = ['-f', '-qqq', '-o', '/dev/null', '-e', `inject=${fault}`, ...node]
  const [command, ...args] = fault === undefined ? node : ['strace', ...traced]
  const child = spawn(command as string, args, {
    env: { ...process.env, XDG_STATE_HOME: join(directory, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = new Promise<{ status: number | null; errors: string }>((done) => {
    child.on('close', (status) => done({ status, errors }))
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const first = new Promise<string>((done, fail) => {
    lines.once('line', done)
    child.once('close', () => fail(new Error(`it ended before it was ready: ${errors}`)))
  })
  return { child, ready: JSON.parse(await first), ended }
}

async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM')
  assert.equal((await ended).status, 0)
}

async function heldBy(data: string, writer: RemoteWriter): Promise<number> {
  const { mirror } = (await askNode(data, 'GET /status')) as NodeStatus
  const name = formatName(writer.capsule.name)
  return mirror?.capsules.find((capsule) => capsule.name === name)?.size ?? 0
}

for (const [fault, title] of [
  ['fdatasync:error=EIO:when=4+', 'a sync that fails'],
  ['pwritev:error=EIO:when=4+', 'a write that fails'],
] as const) {
  test(`ND18 MI19: ${title} ends the node, with a code and without a receipt`, {
    skip,
  }, async () => {
    const data = join(directory, fault.replace(/\W/g, '-'))
    await stop(await start(data))
    const node = await start(data, fault)
    const writer = new RemoteWriter(1)
    let acknowledged = 0
    try {
      writer.join(parseTicket(String(node.ready['ticket'])))
      writer.publish(parseName(String(node.ready['principal'])))
      let hasEnded = false
      void node.ended.then(() => {
        hasEnded = true
      })
      while (!hasEnded) {
        writer.append(5)
        const receipt = writer.next('receipt', ({ head }) => head.size > acknowledged)
        const next = await Promise.race([receipt, node.ended])
        if ('head' in next) acknowledged = next.head.size
      }
      const { status, errors } = await node.ended
      assert.notEqual(status, 0)
      assert.match(errors, /"STORE_FAILED"/)
      assert.match(errors, /node\.failed/)
    } finally {
      await writer.close()
    }
    const again = await start(data)
    assert.ok((await heldBy(data, writer)) >= acknowledged)
    await stop(again)
  })
}
