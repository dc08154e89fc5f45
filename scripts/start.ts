/**
 * `npm start`: the main job of a fresh clone.
 *
 * Brings up a federation on this machine: three trust domains, two routers, three mirrors, each a
 * process of its own; streams this host's telemetry into a capsule that two mirrors have to sign
 * for; follows and verifies it in another domain; and lets a person break things and watch.
 *
 * `--seconds N` breaks them by itself, one after the other, and ends; `--json` prints events as
 * JSON lines and a summary at the end; `--data DIR` keeps everything there instead of in the
 * clone. Rules FD1-FD8 of docs/spec/start.md.
 *
 * @module
 */
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { START_DIRECTORY } from './start/commands.ts'
import type { DramaEvent } from './start/drama.ts'
import { readKeys } from './start/keys.ts'
import { Run } from './start/run.ts'
import { createPlainScreen, createTerminalScreen, type Screen } from './start/screen.ts'
import { describeEvent, type View } from './start/view.ts'

const AWAY_MS = 6000
const REDRAW_MS = 250
const PROGRESS_MS = 1000
const PARENT_MS = 1000
const SAME_SIGNAL_MS = 500

interface Options {
  readonly data: string
  readonly seconds: number | undefined
  readonly json: boolean
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: START_DIRECTORY },
      seconds: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (seconds !== undefined && !(seconds > 0 && seconds <= 86_400)) {
    throw new RangeError('--seconds takes a number above 0, at most 86400')
  }
  return { data: values.data, seconds, json: values.json }
}

/** What asks this run to end, and with which exit code. */
class Ending {
  readonly #asked = Promise.withResolvers<number>()
  #askedMs: number | undefined

  constructor() {
    const codes = { SIGINT: 0, SIGTERM: 143, SIGHUP: 129 } as const
    for (const [signal, code] of Object.entries(codes)) {
      // Ctrl-C is how a person ends this command, so it is not a failure.
      process.on(signal, () => this.ask(code, signal === 'SIGINT' ? 130 : code))
    }
    const parent = process.ppid
    const watch = setInterval(() => {
      if (process.ppid === parent) return
      // The shell or npm above was killed: nobody is there to ask.
      clearInterval(watch)
      this.ask(129)
    }, PARENT_MS)
    watch.unref()
  }

  /** Whoever asks twice does not want to wait: the other processes notice that this one is gone. */
  ask(code: number, codeAtOnce: number = code): void {
    const nowMs = performance.now()
    this.#askedMs ??= nowMs
    // A terminal and npm may both pass the same signal on.
    if (nowMs - this.#askedMs > SAME_SIGNAL_MS) process.exit(codeAtOnce)
    this.#asked.resolve(code)
  }

  get asked(): Promise<number> {
    return this.#asked.promise
  }
}

/** Steady, kill a mirror, cut the wire, damage a disk, heal. */
async function play({ drama }: Run, seconds: number): Promise<void> {
  const part = seconds * 1000
  await delay(part * 0.2)
  // Behind the wire: two others go on, whatever happens to the wire meanwhile.
  drama.kill('mirror-3')
  await delay(part * 0.3)
  drama.cut()
  await delay(part * 0.3)
  drama.corrupt('mirror-1')
  await delay(part * 0.2)
  await drama.settled()
}

function emit(options: Options, event: object): void {
  if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`)
}

function createScreen(options: Options): Screen | undefined {
  if (options.json) return undefined
  if (process.stdout.isTTY) return createTerminalScreen(process.stdout, options.data)
  return createPlainScreen(process.stdout, options.data)
}

function progress({ written, acked, verified, lost, rate, head, delayMs, nodes }: View): object {
  const mirrors = nodes.flatMap(({ label, isUp, held }) =>
    held === undefined ? [] : [{ label, up: isUp, signedFor: held }],
  )
  return {
    ...{ written, acked, verified, lost, rate: round(rate), ...head },
    delayMs: delayMs === undefined ? null : round(delayMs),
    mirrors,
  }
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

/** True if everything that was acknowledged arrived, and everything broken healed. */
function summarize(options: Options, run: Run, failure: string | undefined): boolean {
  const { view, drama, ledger, receipts, checkpoint } = run
  const { kill, cut, corrupt, healed } = drama.counts
  const isWhole = ledger.verified >= ledger.entries && view.head.size >= view.stored
  const isHealed = options.seconds === undefined || healed === kill + cut + corrupt
  const isGood = ledger.lostForGood === 0 && isWhole && isHealed
  // Told to stop while it was starting: there is nothing to judge.
  const ok = failure === undefined && (isGood || !run.isOpen)
  emit(options, {
    ...{ event: 'summary', seconds: round(run.seconds), ok, name: view.name, ...view.head },
    ...{ entries: ledger.entries, acked: ledger.acked, verified: ledger.verified, receipts },
    ...{ kills: kill, cuts: cut, corruptions: corrupt, healed, lost: ledger.lostForGood },
    ...{ resumed: view.resumed, checkpoint },
  })
  if (!options.json && run.isOpen) {
    const { entries, acked, verified, lostForGood: lost } = ledger
    process.stdout.write(
      `\n${entries} written, ${acked} acknowledged by two mirrors, ${verified} verified, ${lost} lost\n` +
        'The next npm start goes on with the same capsule.\n',
    )
  }
  if (failure !== undefined) process.stderr.write(`npm start: ${failure}\n`)
  return ok
}

async function main(options: Options): Promise<number> {
  const ending = new Ending()
  const screen = createScreen(options)
  const say = (event: DramaEvent): void => {
    emit(options, { ...event, seconds: round(run.seconds) })
    screen?.note(describeEvent(event))
  }
  const run = new Run({
    directory: resolve(import.meta.dirname, '..', options.data),
    awayMs: options.seconds === undefined ? AWAY_MS : Math.min(AWAY_MS, options.seconds * 150),
    onEvent: say,
    onNode: ({ plan: { label, role, domain }, process: { ready } }) => {
      const principal = ready?.principal
      emit(options, { event: 'node', label, role, domain, principal, seconds: round(run.seconds) })
      screen?.note(`${label} is up: a ${role} in the domain ${domain}`)
    },
  })
  const timers: NodeJS.Timeout[] = []
  let restoreKeys: (() => void) | undefined
  let failure: string | undefined
  let code = 0
  try {
    const opened = await Promise.race([run.start(), ending.asked])
    if (typeof opened === 'number') {
      code = opened
    } else {
      emit(options, { event: 'opened', ...opened, seconds: round(run.seconds) })
      screen?.opened(run.view)
      timers.push(...show(options, run, screen))
      if (screen && process.stdin.isTTY && process.stdout.isTTY) restoreKeys = listen(run, ending)
      const played = options.seconds === undefined ? [] : [play(run, options.seconds).then(() => 0)]
      const first = await Promise.race([ending.asked, run.failed, ...played])
      if (typeof first === 'string') failure = first
      else code = first
    }
  } catch (error) {
    failure = (error as Error).message
  } finally {
    await run.stop()
    for (const timer of timers) clearInterval(timer)
    restoreKeys?.()
    if (run.isOpen) screen?.update(run.view)
    screen?.close()
  }
  return summarize(options, run, failure) ? code : 1
}

/** Until the timers are cleared. */
function show(options: Options, run: Run, screen: Screen | undefined): NodeJS.Timeout[] {
  const report = (): void =>
    emit(options, { event: 'progress', seconds: round(run.seconds), ...progress(run.view) })
  return [
    setInterval(() => screen?.update(run.view), REDRAW_MS),
    ...(options.json ? [setInterval(report, PROGRESS_MS)] : []),
  ]
}

function listen({ drama }: Run, ending: Ending): () => void {
  return readKeys(process.stdin, (key) => {
    if (key === 'k') drama.kill()
    if (key === 'l') drama.cut()
    if (key === 'c') drama.corrupt()
    if (key === 'q') ending.ask(0)
  })
}

// Nobody reads any more (`npm start | head`): that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : 4),
)

try {
  process.exitCode = await main(parseOptions())
} catch (error) {
  const isUsage =
    error instanceof RangeError ||
    String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')
  if (!isUsage) throw error
  process.stderr.write(
    `npm start: ${(error as Error).message}\nusage: npm start -- [--seconds N] [--json] [--data DIR]\n`,
  )
  process.exitCode = 2
}
process.exit()
