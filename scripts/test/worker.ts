/**
 * Runs test files and sends one message for each test to the process that forked it.
 *
 * @module
 */
import { resolve } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'
import type { Result } from './tally.ts'

export interface WorkerOrder {
  /** Relative to the working directory. */
  readonly files: readonly string[]
  readonly isolation: 'none' | 'process'
  readonly concurrency: number
  /** Regular expression that titles must match. */
  readonly name?: string
}

/** No single test may hang the whole run. */
const TEST_TIMEOUT_MS = 110_000

/** What the tests of one file printed, kept to be shown with a failure. */
const OUTPUT_CHARACTERS_MAX = 8_000

type TestEvent = Parameters<typeof receive>[0]

const output = new Map<string, string>()

process.once('message', (order: WorkerOrder) => {
  const stream = run({
    files: order.files.map((path) => resolve(path)),
    isolation: order.isolation,
    timeout: TEST_TIMEOUT_MS,
    // A test that timed out may leave a child or a socket behind: its file ends all the same.
    ...(order.isolation === 'process' ? { concurrency: order.concurrency, forceExit: true } : {}),
    ...(order.name === undefined ? {} : { testNamePatterns: new RegExp(order.name) }),
  })
  stream.on('data', (event: TestEvent) => receive(event))
  stream.on('end', () => send('done'))
})

function send(message: Result | 'done'): void {
  process.send?.(message)
}

interface EventData {
  readonly name: string
  /** Where the test is written, which in a suite is not the file that runs it. */
  readonly file?: string
  /** The file that runs it; only known where it has its own process. */
  readonly entryFile?: string
  readonly line?: number
  readonly classname?: string
  readonly skip?: string | boolean
  readonly todo?: string | boolean
  readonly message?: string
  readonly details: {
    readonly type?: string
    readonly duration_ms: number
    readonly error?: Error & { readonly failureType?: string }
  }
}

function receive(event: { readonly type: string; readonly data: EventData }): void {
  const { type, data } = event
  if (type === 'test:stdout' || type === 'test:stderr') keepOutput(data)
  if (type !== 'test:pass' && type !== 'test:fail') return
  const { error, duration_ms: durationMs } = data.details
  // A parent fails with its subtests; only they are counted.
  if (data.details.type === 'suite' && type === 'test:pass') return
  if (error?.failureType === 'subtestsFailed') return
  const file = data.file ?? ''
  const entry = relativeTo(data.entryFile ?? file)
  const place = { file: relativeTo(file), line: data.line ?? 1, entry, durationMs }
  const title = data.classname === undefined ? data.name : `${data.classname} > ${data.name}`
  if (data.name === file) {
    // Without a test inside, the file itself passes: whoever waits for its results will notice.
    if (type === 'test:pass') return
    send({ ...place, outcome: 'fail', title: 'the whole file', detail: describe(file, error) })
  } else if (data.todo !== undefined && data.todo !== false) {
    send({ ...place, outcome: 'fail', title, detail: 'left to be done' })
  } else if (data.skip !== undefined && data.skip !== false) {
    const reason = typeof data.skip === 'string' ? data.skip : ''
    send({ ...place, outcome: 'skip', title, detail: reason })
  } else if (type === 'test:pass') {
    send({ ...place, outcome: 'pass', title, detail: '' })
  } else {
    send({ ...place, outcome: 'fail', title, detail: describe(file, error) })
  }
}

function relativeTo(file: string): string {
  const root = process.cwd() + '/'
  return file.startsWith(root) ? file.slice(root.length) : file
}

function keepOutput({ file = '', message = '' }: EventData): void {
  output.set(file, ((output.get(file) ?? '') + message).slice(-OUTPUT_CHARACTERS_MAX))
}

/** The error without the frames of the runner, then what the file printed. */
function describe(file: string, error: Error | undefined): string {
  const cause = error?.cause ?? error
  const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 6 })
  const lines = text.split('\n').filter((line) => !/^\s+at .*node:internal/.test(line))
  return [...lines, ...(output.get(file) ?? '').trimEnd().split('\n')].join('\n').trimEnd()
}
