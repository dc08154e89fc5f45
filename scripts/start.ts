/**
 * `npm start`: the main job of a fresh clone.
 *
 * Streams this host's telemetry into a capsule in one process while a second process follows and
 * verifies it, and shows both. `--seconds N` ends by itself; `--json` prints events as JSON lines
 * and a summary at the end; `--home DIR` keeps the capsule there instead of in the clone.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { START_HOME } from './start/commands.ts'
import type { FollowerMessage } from './start/follower.ts'
import { createPlainScreen, createTerminalScreen, type Screen, type View } from './start/screen.ts'
import type { WriterMessage } from './start/writer.ts'

const RATE_WINDOW_MS = 5000
const DELAYS_KEPT = 64
const STOP_TIMEOUT_MS = 10_000

interface Options {
  readonly home: string
  readonly seconds: number | undefined
  readonly json: boolean
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      home: { type: 'string', default: START_HOME },
      seconds: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (seconds !== undefined && !(seconds > 0 && seconds <= 86_400)) {
    throw new RangeError('--seconds takes a number above 0, at most 86400')
  }
  return { home: values.home, seconds, json: values.json }
}

/** Everything that the two processes report, folded into what is shown. */
class Telemetry {
  readonly view: View = {
    name: '',
    resumed: false,
    written: 0,
    verified: 0,
    rate: 0,
    stored: 0,
    head: { size: 0, root: '' },
    delayMs: undefined,
    seconds: 0,
  }
  checkpoint = ''
  failure: string | undefined
  readonly #startedMs = performance.now()
  readonly #acks: { atMs: number; count: number }[] = []
  readonly #delaysUs: number[] = []

  fromWriter(message: WriterMessage): void {
    const { view } = this
    if (message.event === 'opened')
      Object.assign(view, { name: message.name, stored: message.size, resumed: message.resumed })
    if (message.event === 'acked') {
      view.stored = message.size
      view.written += message.count
      this.#acks.push({ atMs: performance.now(), count: message.count })
    }
    if (message.event === 'stopped') this.checkpoint = message.checkpoint
  }

  fromFollower(message: FollowerMessage): void {
    if (message.event === 'failed') {
      this.failure = `${message.code}: ${message.message}`
      return
    }
    this.view.head = message.head
    if (message.event === 'opened') return
    this.view.verified += 1
    this.#delaysUs.push(message.delayUs)
    if (this.#delaysUs.length > DELAYS_KEPT) this.#delaysUs.shift()
  }

  tick(): View {
    const now = performance.now()
    while (this.#acks.length > 0 && now - this.#acks[0]!.atMs > RATE_WINDOW_MS) this.#acks.shift()
    const spanMs = Math.min(RATE_WINDOW_MS, now - this.#startedMs)
    this.view.rate = this.#acks.reduce((sum, ack) => sum + ack.count, 0) / (spanMs / 1000)
    const sorted = [...this.#delaysUs].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    this.view.delayMs = median === undefined ? undefined : median / 1000
    this.view.seconds = (now - this.#startedMs) / 1000
    return this.view
  }
}

function child(script: string, args: readonly string[]): ChildProcess {
  return fork(new URL(`./start/${script}`, import.meta.url), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function exited(process: ChildProcess): Promise<number> {
  return new Promise((done) => process.once('exit', (code) => done(code ?? 1)))
}

/** Asks a child to finish and waits; ends it by force after a while. */
async function stopChild(process: ChildProcess, exit: Promise<number>): Promise<number> {
  if (process.connected) process.send('stop')
  const timer = setTimeout(() => process.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const code = await exit
  clearTimeout(timer)
  return code
}

/** Resolves after `seconds`, at a signal (with its exit code), or when a child ends. */
function untilStopped(options: Options, children: readonly Promise<number>[]): Promise<number> {
  return new Promise((done) => {
    if (options.seconds !== undefined) setTimeout(() => done(0), options.seconds * 1000)
    // Ctrl-C is how a person ends this command, so it is not a failure.
    process.once('SIGINT', () => done(0))
    process.once('SIGTERM', () => done(143))
    for (const exit of children) void exit.then((code) => done(code === 0 ? 1 : code))
  })
}

function emit(options: Options, event: object): void {
  if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** Waits until the follower has seen all that was written, or it is clear that it will not. */
async function untilVerified(telemetry: Telemetry, target: number): Promise<void> {
  const deadlineMs = performance.now() + STOP_TIMEOUT_MS
  const { view } = telemetry
  while (
    (view.verified < target || view.head.size < view.stored) &&
    telemetry.failure === undefined &&
    performance.now() < deadlineMs
  ) {
    await new Promise((done) => setTimeout(done, 20))
  }
}

async function main(): Promise<number> {
  const options = parseOptions()
  const path = resolve(import.meta.dirname, '..', options.home)
  const telemetry = new Telemetry()
  const screen: Screen | undefined = options.json
    ? undefined
    : process.stdout.isTTY
      ? createTerminalScreen(process.stdout, options.home)
      : createPlainScreen(process.stdout, options.home)

  const writer = child('writer.ts', [path])
  const writerExit = exited(writer)
  const opened = new Promise<void>((done) => {
    writer.on('message', (message) => {
      telemetry.fromWriter(message as WriterMessage)
      if ((message as WriterMessage).event === 'opened') done()
    })
  })
  if ((await Promise.race([opened, writerExit])) !== undefined) return 1
  const { view } = telemetry
  const from = view.stored
  emit(options, { event: 'opened', name: view.name, size: view.stored, resumed: view.resumed })
  screen?.opened(view)

  const follower = child('follower.ts', [path, view.name, String(from)])
  const followerExit = exited(follower)
  follower.on('message', (message) => telemetry.fromFollower(message as FollowerMessage))

  const redraw = setInterval(() => {
    const now = telemetry.tick()
    screen?.update(now)
  }, 250)
  const progress = setInterval(
    () => emit(options, { event: 'progress', ...pick(telemetry.tick()) }),
    1000,
  )

  const reason = await untilStopped(options, [writerExit, followerExit])
  const writerCode = await stopChild(writer, writerExit)
  await untilVerified(telemetry, view.written)
  const followerCode = await stopChild(follower, followerExit)
  clearInterval(redraw)
  clearInterval(progress)
  const last = telemetry.tick()
  screen?.update(last)
  screen?.close()

  const ok =
    writerCode === 0 &&
    followerCode === 0 &&
    last.verified >= last.written &&
    last.head.size >= last.stored &&
    telemetry.failure === undefined
  emit(options, {
    event: 'summary',
    ok,
    ...pick(last),
    resumed: last.resumed,
    checkpoint: telemetry.checkpoint,
  })
  if (!options.json) {
    process.stdout.write(
      `\n${last.written} written, ${last.verified} verified, capsule size ${last.head.size}\n`,
    )
    if (telemetry.failure !== undefined)
      process.stderr.write(`verification failed: ${telemetry.failure}\n`)
  }
  return ok ? reason : 1
}

function pick(view: View): object {
  const { name, written, verified, rate, head, seconds } = view
  return {
    name,
    entries: written,
    verified,
    rate: Number(rate.toFixed(2)),
    ...head,
    seconds: Number(seconds.toFixed(2)),
  }
}

// Nobody reads any more (`npm start | head`): that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : 4),
)

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage =
    error instanceof RangeError ||
    String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')
  if (!isUsage) throw error
  process.stderr.write(
    `npm start: ${(error as Error).message}\nusage: npm start -- [--seconds N] [--json] [--home DIR]\n`,
  )
  process.exitCode = 2
}
process.exit()
