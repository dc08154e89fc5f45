/**
 * Kills real writers under load, again and again, and checks what is left.
 *
 * Each round starts the real command, feeds it lines without pause, kills it with SIGKILL at a
 * moment that the seed draws (while it opens, between acknowledgements, in the middle of a
 * commit), opens the home again and checks: nothing acknowledged is lost, what is there is exactly
 * what was sent, the signed root is the root of these entries and of all earlier ones, and the
 * next writer goes on without any repair. SIGKILL leaves the page cache alone, so this says
 * nothing about syncs: see `sync-order.test.ts` and the simulated disk.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { encodeHeader, formatHex, hashLeaf, RightEdge } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { Prng } from '@longshore/engine/testing'

const BIN = resolve(import.meta.dirname, '..', 'bin', 'longshore')

/** One in so many rounds kills while the writer is still starting. */
const EARLY_ROUNDS = 5
const EARLY_KILL_MS_MAX = 200
const ACKS_BEFORE_KILL_MAX = 30
const PADDING_CHARACTERS_MAX = 400

export interface KillLoopOptions {
  readonly kills: number
  readonly seed: number
  /** Empty, and used for nothing else. */
  readonly directory: string
}

export interface KillLoopResult {
  readonly kills: number
  /** In the capsule at the end. */
  readonly entryCount: number
}

export async function runKillLoop({
  kills,
  seed,
  directory,
}: KillLoopOptions): Promise<KillLoopResult> {
  const prng = new Prng(seed)
  const capsule = new Survivor(directory)
  for (let round = 0; round < kills; round++) {
    const { sent, ackedSize } = await appendUntilKilled(capsule, prng, round)
    await capsule.check(sent, ackedSize)
  }
  const last = Array.from({ length: 100 }, (_, at) => `last:${at}`)
  capsule.append(last)
  await capsule.check(last, capsule.size + last.length)
  return { kills, entryCount: capsule.size }
}

/** The capsule as it must be: every check takes in what was sent since the one before. */
class Survivor {
  readonly env: NodeJS.ProcessEnv
  readonly name: string
  readonly #home: string
  readonly #edge = RightEdge.empty()
  /** What each writer sent beyond what was found, last line first: the next may still find it. */
  #expected: string[][] = []

  constructor(directory: string) {
    this.#home = join(directory, 'home')
    this.env = {
      ...process.env,
      LONGSHORE_HOME: this.#home,
      XDG_STATE_HOME: join(directory, 'state'),
    }
    this.name = (JSON.parse(this.#run('', 'create', '--json')) as { name: string }).name
  }

  /** At the last check. */
  get size(): number {
    return this.#edge.size
  }

  append(lines: readonly string[]): void {
    this.#run(lines.join('\n'), 'append', this.name)
  }

  /** Throws unless the home holds the acknowledged part of `sent`, and nothing else. */
  async check(sent: readonly string[], ackedSize: number | undefined): Promise<void> {
    const sizeBefore = this.size
    const verdict = JSON.parse(this.#run('', 'verify', this.name, '--json')) as Verdict
    assert.equal(verdict.ok, true)
    const size = verdict.size ?? 0
    assert.ok(size >= (ackedSize ?? 0), `${size} entries are left of ${ackedSize} acknowledged`)
    await using home = await openHome({ path: this.#home, readOnly: true })
    await using capsule = await home.open(this.name)
    this.#expected.push(sent.toReversed())
    for await (const entry of capsule.read({ from: sizeBefore, to: size })) {
      this.#take(entry.index, entry.text())
      this.#edge.append(hashLeaf(encodeHeader(entry.header)))
    }
    assert.equal(this.#edge.size, size)
    if (size > 0) assert.equal(verdict.root, formatHex(this.#edge.root()), 'the signed root')
  }

  /**
   * The entry must be what comes next: of the same writer, or the first of a later one. A reader
   * sees what is surely durable; the writer after it may find a last group that was complete.
   */
  #take(index: number, text: string): void {
    while (this.#expected.length > 1 && this.#expected[0]?.at(-1) !== text) this.#expected.shift()
    assert.equal(text, this.#expected[0]?.pop(), `entry ${index}`)
  }

  #run(input: string, ...args: string[]): string {
    const result = spawnSync(BIN, args, { env: this.env, input, encoding: 'utf8' })
    assert.equal(result.status, 0, `longshore ${args.join(' ')}: ${result.stderr}`)
    return result.stdout
  }
}

interface Verdict {
  readonly ok: boolean
  readonly size: number | null
  /** Hexadecimal. */
  readonly root: string | null
}

interface Killed {
  /** In this order; the writer got at least the first of them. */
  readonly sent: readonly string[]
  /** Largest tree size that was acknowledged. */
  readonly ackedSize: number | undefined
}

async function appendUntilKilled(
  { name, env }: Survivor,
  prng: Prng,
  round: number,
): Promise<Killed> {
  const child = spawn(BIN, ['append', name, '--json'], { env })
  const stderr = collect(child)
  const sent: string[] = []
  let ackedSize: number | undefined
  let ackCount = 0
  const isEarly = prng.below(EARLY_ROUNDS) === 0
  const acksBeforeKill = prng.between(1, ACKS_BEFORE_KILL_MAX)
  if (isEarly) setTimeout(() => child.kill('SIGKILL'), prng.below(EARLY_KILL_MS_MAX))
  onLines(child, (line) => {
    const { event, size } = JSON.parse(line) as { event: string; size: number }
    assert.equal(event, 'acked')
    ackedSize = size
    if (++ackCount === acksBeforeKill) child.kill('SIGKILL')
  })
  child.stdin?.on('error', () => {})
  feed(child, () => {
    const line = `${round}:${sent.length} ${'x'.repeat(prng.below(PADDING_CHARACTERS_MAX))}`
    sent.push(line)
    return line
  })
  const signal = await new Promise((settle) => child.on('close', (_code, by) => settle(by)))
  assert.equal(signal, 'SIGKILL', `the writer ended by itself: ${stderr()}`)
  return { sent, ackedSize }
}

/** Writes lines as long as the child takes them. */
function feed(child: ChildProcess, nextLine: () => string): void {
  const { stdin } = child
  if (stdin === null) return
  const write = (): void => {
    while (stdin.writable && stdin.write(`${nextLine()}\n`));
  }
  stdin.on('drain', write)
  write()
}

/** Complete lines only: half a line acknowledges nothing. */
function onLines(child: ChildProcess, use: (line: string) => void): void {
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) use(line)
  })
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return () => text
}
