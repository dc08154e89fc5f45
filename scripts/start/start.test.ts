/** `npm start` as a whole: real processes, real disks, real damage. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { findSchemaProblems } from '../../packages/cli/test/json-schema.ts'

const SCRIPT = resolve(import.meta.dirname, '../start.ts')
const SCHEMA = resolve(import.meta.dirname, '../../docs/spec/start.schema.json')
const END_MS_MAX = 30_000

type Event = Readonly<Record<string, unknown>> & { readonly event: string }

/** One run of the script, in a directory that several runs share. */
class StartProcess {
  readonly events: Event[] = []
  readonly #process: ChildProcess
  readonly #exit: Promise<unknown[]>
  #stderr = ''
  #onEvent: (() => void) | undefined

  constructor(directory: string, args: readonly string[]) {
    const env = { ...process.env, XDG_STATE_HOME: join(directory, 'state') }
    const data = join(directory, 'data')
    this.#process = spawn(process.execPath, [SCRIPT, '--json', '--data', data, ...args], { env })
    this.#exit = once(this.#process, 'close')
    this.#process.stderr?.on('data', (text) => {
      this.#stderr += text
    })
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.events.push(JSON.parse(line) as Event)
      this.#onEvent?.()
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async until(name: string): Promise<Event> {
    const end = this.#exit.then(() => assert.fail(`it ended without ${name}: ${this.#stderr}`))
    const seen = new Promise<Event>((resolve) => {
      const look = (): void => {
        const found = this.events.find(({ event }) => event === name)
        if (found !== undefined) resolve(found)
      }
      this.#onEvent = look
      look()
    })
    return Promise.race([seen, end])
  }

  /** Exit code and the last event. */
  async ended(): Promise<{
    readonly code: unknown
    readonly last: Event
    readonly stderr: string
  }> {
    const [code] = await this.#exit
    return { code, last: this.events.at(-1) as Event, stderr: this.#stderr }
  }
}

/** Processes that say in the directory that they run there. */
function pidsIn(data: string): number[] {
  return readdirSync(data).flatMap((label) => {
    const files = ['node.json', 'holder.json'].map((file) => join(data, label, file))
    return files
      .filter((file) => existsSync(file))
      .map((file) => (JSON.parse(readFileSync(file, 'utf8')) as { readonly pid: number }).pid)
  })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('FD1 FD2 FD3 FD4 FD6 FD7 FD8: a federation loses nothing while it is broken, goes on, and leaves no process', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-start-'))
  const data = join(directory, 'data')
  try {
    const first = new StartProcess(directory, ['--seconds', '4'])
    const { code, last, stderr } = await first.ended()
    assert.equal(code, 0, stderr)
    const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'))
    for (const event of first.events) assert.deepEqual(findSchemaProblems(schema, event), [])
    const { ok, kills, cuts, corruptions, healed, lost, entries, acked, verified } = last
    assert.deepEqual(
      { ok, kills, cuts, corruptions, healed, lost },
      { ok: true, kills: 1, cuts: 1, corruptions: 1, healed: 3, lost: 0 },
    )
    assert.ok((entries as number) > 0)
    assert.deepEqual([acked, verified], [entries, entries])
    const domains = first.events.filter(({ event }) => event === 'node').map(({ domain }) => domain)
    assert.deepEqual(new Set(domains), new Set(['harbor', 'coast', 'stranger']))
    checkHead(last)

    const second = new StartProcess(directory, [])
    const opened = await second.until('opened')
    assert.deepEqual(
      [opened['name'], opened['size'], opened['resumed']],
      [last['name'], last['size'], true],
    )
    second.kill('SIGINT')
    const { code: again, last: summary } = await second.ended()
    assert.equal(again, 0)
    assert.deepEqual([summary['ok'], summary['resumed'], summary['lost']], [true, true, 0])
    checkHead(summary)

    const third = new StartProcess(directory, [])
    await third.until('progress')
    const pids = pidsIn(data)
    assert.ok(pids.filter(isAlive).length >= 6, 'two routers, three mirrors, the writer')
    third.kill('SIGKILL')
    await third.ended()
    const deadlineMs = performance.now() + END_MS_MAX
    while (pids.some(isAlive) && performance.now() < deadlineMs) await new Promise(setImmediate)
    assert.deepEqual(pids.filter(isAlive), [])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

/** Size and root of a summary are those of the writer's last checkpoint. */
function checkHead({ size, root, checkpoint }: Event): void {
  assert.deepEqual((checkpoint as string).split('\n').slice(1, 3), [String(size), root])
}
