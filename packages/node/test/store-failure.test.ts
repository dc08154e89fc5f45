/**
 * A mirror in a process of its own whose disk fails: calls of the system end with the errors of a
 * broken or a full disk, in the midst of its work (strace puts them in).
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
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
const hasNamespaces = spawnSync('unshare', ['-rm', 'true']).status === 0
const skipMount = hasNamespaces ? false : 'needs user namespaces'

/** Calls of the system end with errors. */
function withFaults(...faults: string[]): string[] {
  const injected = faults.flatMap((fault) => ['-e', `inject=${fault}`])
  return ['strace', '-f', '-qqq', '-o', '/dev/null', ...injected]
}

/** A disk of so many MiB at this path, for this process only; started again when it is killed. */
function onDisk(path: string, mib: number): string[] {
  const mount = `mount -t tmpfs -o size=${mib}m none "$0"`
  const run = 'until "$@"; do [ $? = 137 ] || exit 1; done'
  return ['unshare', '-rm', 'sh', '-c', `${mount} && ${run}`, path]
}

interface Running {
  readonly child: ChildProcess
  readonly ready: Record<string, unknown>
  /** What it says when it has been started again. */
  readonly again: () => Promise<Record<string, unknown>>
  /** Exit status, and everything on stderr. */
  readonly ended: Promise<{ readonly status: number | null; readonly errors: string }>
}

/** A mirror from its first line on. */
async function start(data: string, { under = [] }: { under?: string[] } = {}): Promise<Running> {
  const listen = ['--listen', 'tls://127.0.0.1:0', '--http', '127.0.0.1:0']
  const [command, ...args] = [...under, BIN, 'node', 'run', '--data', data, ...listen, '--json']
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
  const next = async (): Promise<Record<string, unknown>> => {
    const line = await new Promise<string>((done, fail) => {
      lines.once('line', done)
      child.once('close', () => fail(new Error(`it ended before it was ready: ${errors}`)))
    })
    return JSON.parse(line)
  }
  return { child, ready: await next(), again: next, ended }
}

async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM')
  assert.equal((await ended).status, 0)
}

/** The node itself: what it runs under would leave it alone. */
function signalNode(data: string, signal: NodeJS.Signals): void {
  const { pid } = JSON.parse(readFileSync(join(data, 'node.json'), 'utf8')) as { pid: number }
  process.kill(pid, signal)
}

async function stopInside(data: string, { ended }: Running): Promise<void> {
  signalNode(data, 'SIGTERM')
  assert.equal((await ended).status, 0)
}

async function heldBy(data: string, writer: RemoteWriter): Promise<number> {
  const { mirror } = (await askNode(data, 'GET /status')) as NodeStatus
  const name = formatName(writer.capsule.name)
  return mirror?.capsules.find((capsule) => capsule.name === name)?.size ?? 0
}

for (const [fault, title] of [
  ['fdatasync:error=EIO:when=4+', 'a sync that fails'],
  ['pwrite64:error=EIO:when=5+', 'a write that fails'],
] as const) {
  test(`ND18 MI19: ${title} ends the node, with a code and without a receipt`, {
    skip,
  }, async () => {
    const data = join(directory, fault.replace(/\W/g, '-'))
    await stop(await start(data))
    const node = await start(data, { under: withFaults(fault) })
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

test('ND18 MI19: a write for which the disk has no room is refused, and the node goes on', {
  skip,
}, async () => {
  const data = join(directory, 'full')
  await stop(await start(data))
  // Of the journal: zeros ahead of it, then those that the entries take.
  const segment = join(data, 'store', 'segments', '00000001.0.seg')
  const faults = withFaults('pwritev:error=ENOSPC:when=1', 'pwrite64:error=ENOSPC:when=1')
  const noRoom = [...faults, '-P', segment]
  const node = await start(data, { under: noRoom })
  const writer = new RemoteWriter(2)
  const later = new RemoteWriter(3)
  try {
    writer.join(parseTicket(String(node.ready['ticket'])))
    writer.publish(parseName(String(node.ready['principal'])))
    writer.append(5)
    const { error } = await writer.next('failed')
    assert.equal((error as { code?: string }).code, 'STORE_FULL')
    later.join(parseTicket(String(node.ready['ticket'])))
    later.publish(parseName(String(node.ready['principal'])))
    later.append(3)
    await later.next('receipt', ({ head }) => head.size === 3)
  } finally {
    await writer.close()
    await later.close()
    await stopInside(data, node)
  }
})

test('ND14 ND24: a mirror whose disk is full says so before it accepts, serves what it has, also after it was killed, and goes on when there is room', {
  skip: skipMount,
}, async () => {
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  const node = await start(join(disk, 'data'), { under: onDisk(disk, 80) })
  const inside = join('/proc', String(node.child.pid), 'root', disk)
  const data = join(inside, 'data')
  let { ready } = node
  const writer = new RemoteWriter(4)
  const reopened = new RemoteWriter(6)
  try {
    push(writer, ready)
    writer.append(1)
    await writer.next('receipt', ({ head }) => head.size === 1)
    for (let i = 0; i < 60; i++) writer.append(1, 500_000)
    const { error } = await writer.next('failed')
    assert.equal((error as { code?: string }).code, 'QUOTA_EXCEEDED')
    const left = freeBytes(inside)
    assert.ok(left > 32 * 1024 * 1024, `${left} bytes are left`)
    // Others fill what it has left alone.
    writeFileSync(join(inside, 'others'), new Uint8Array(left))
    assert.equal(freeBytes(inside), 0)
    await assertFull(ready, 5)
    for (let round = 0; round < 3; round++) {
      signalNode(data, 'SIGKILL')
      ready = await node.again()
      const more = freeBytes(inside)
      if (more > 0) writeFileSync(join(inside, `more-${round}`), new Uint8Array(more))
      await assertFull(ready, 10 + round)
      const entry = await fetch(
        `${ready['http']}/capsule/${formatName(writer.capsule.name)}/checkpoint`,
      )
      assert.equal(entry.status, 200)
    }
    rmSync(join(inside, 'others'))
    await saysFull(ready, false)
    push(reopened, ready)
    reopened.append(1)
    await reopened.next('receipt', ({ head }) => head.size === 1)
  } finally {
    await writer.close()
    await reopened.close()
  }
  await stopInside(data, node)
})

function push(writer: RemoteWriter, ready: Record<string, unknown>): void {
  writer.join(parseTicket(String(ready['ticket'])))
  writer.publish(parseName(String(ready['principal'])))
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** It says that it is full, and takes nothing from anybody. */
async function assertFull(ready: Record<string, unknown>, seed: number): Promise<void> {
  await saysFull(ready, true)
  const writer = new RemoteWriter(seed)
  try {
    push(writer, ready)
    writer.append(1)
    const { error } = await writer.next('failed')
    assert.equal((error as { code?: string }).code, 'QUOTA_EXCEEDED')
  } finally {
    await writer.close()
  }
}

/** Resolves once its health says so, or says so no more. */
async function saysFull({ http }: Record<string, unknown>, isFull: boolean): Promise<void> {
  for (;;) {
    const health = await fetch(`${http}/healthz`)
    assert.equal(health.status, 200)
    if ((await health.text()).includes('STORE_FULL') === isFull) return
  }
}
