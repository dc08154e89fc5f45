/**
 * Ten million entries in one capsule: does anything grow that should not?
 *
 * The home stays in `.longshore/soak/scale`, so an interrupted run goes on where it stopped and a
 * second one only measures.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyReceipt } from '@longshore/capsule'
import { type Capsule, type Home, openHome } from '@longshore/client/node'
import { Prng } from '@longshore/engine/testing'
import { SOAK_DIRECTORY } from './results.ts'

const PAYLOAD_BYTES = 100
const BATCH = 1000
const SAMPLES = 2000
const OPENS = 5
const REPORT_EVERY = 250_000
const PROCESS_STATUS = '/proc/self/status'

export interface ScaleOptions {
  readonly entryCount: number
  readonly seed: number
}

/** Facts to print and record, in this order. */
export async function runScale(options: ScaleOptions): Promise<Record<string, string | number>> {
  process.env['XDG_STATE_HOME'] = join(SOAK_DIRECTORY, 'state')
  const path = join(SOAK_DIRECTORY, 'scale')
  const { name, appended, seconds, writerMemory } = await fill(path, options)
  const opens = Array.from({ length: OPENS }, () => openInNewProcess(path, name))
  await using home = await openHome({ path })
  await using capsule = await home.open(name)
  const reads = await sample(options, (index) => capsule.get(index))
  const receipts = await sample(options, (index) => checkReceipt(capsule, index))
  const bytes = allocatedBytes(path)
  return {
    seed: options.seed,
    entries: capsule.size,
    appended: appended === 0 ? 'nothing: the capsule was there' : `${appended} in ${seconds} s`,
    'append rate': appended === 0 ? '-' : `${Math.round(appended / seconds)} entries/s, durable`,
    'open in a new process': `${show(opens)} ms with one read, page cache as it was`,
    'random read': `${show(reads)} ms, verified`,
    'receipt made and verified': `${show(receipts)} ms`,
    'memory after appending': writerMemory,
    [`memory after ${SAMPLES} reads and receipts`]: describeMemory(),
    'disk for each entry of 100 B': `${(bytes / capsule.size).toFixed(1)} B`,
    'what verify says': await describeVerify(capsule),
  }
}

interface Filled {
  readonly name: string
  readonly appended: number
  readonly seconds: number
  readonly writerMemory: string
}

async function fill(path: string, { entryCount, seed }: ScaleOptions): Promise<Filled> {
  await using home = await openHome({ path })
  await using capsule = await openOrCreate(home, path)
  const sizeBefore = capsule.size
  const prng = new Prng(seed)
  const started = performance.now()
  while (capsule.size < entryCount) {
    const count = Math.min(BATCH, entryCount - capsule.size)
    await capsule.appendMany(Array.from({ length: count }, () => prng.bytes(PAYLOAD_BYTES)))
    if (capsule.size % REPORT_EVERY < BATCH) process.stderr.write(`\r${capsule.size} entries `)
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  if (capsule.size > sizeBefore) process.stderr.write('\n')
  const appended = capsule.size - sizeBefore
  return { name: capsule.text, appended, seconds, writerMemory: describeMemory() }
}

async function openOrCreate(home: Home, path: string): Promise<Capsule> {
  const note = `${path}.name`
  if (existsSync(note)) return home.open(readFileSync(note, 'utf8'))
  const capsule = await home.create({ labels: { soak: 'scale' } })
  writeFileSync(note, capsule.text)
  return capsule
}

/** Milliseconds to open and to read one entry, without loading the modules. */
function openInNewProcess(path: string, name: string): number {
  const script = join(import.meta.dirname, '..', '..', 'bench', 'processes', 'open-once.ts')
  const args = [script, 'longshore', path, name]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' })
  return (JSON.parse(output) as { readonly openMs: number }).openMs
}

async function sample(
  { entryCount, seed }: ScaleOptions,
  work: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const prng = new Prng(seed + 1)
  const durations: number[] = []
  for (let i = 0; i < SAMPLES; i++) {
    const index = prng.below(entryCount)
    const started = performance.now()
    await work(index)
    durations.push(performance.now() - started)
  }
  return durations
}

async function checkReceipt(capsule: Capsule, index: number): Promise<void> {
  const receipt = await capsule.receipt(index)
  const proven = verifyReceipt(receipt, { name: capsule.name })
  if (proven.index !== index) throw new Error(`asked for ${index}, got ${proven.index}`)
}

async function describeVerify(capsule: Capsule): Promise<string> {
  const started = performance.now()
  const { size } = await capsule.verify()
  return `${size} entries in ${Math.round((performance.now() - started) / 1000)} s`
}

function show(durations: readonly number[]): string {
  const sorted = [...durations].sort((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(2)
  return `p50 ${at(0.5)}, p99 ${at(0.99)}`
}

/** Mapped files, such as the index, are resident as well, but the system can drop them. */
function describeMemory(): string {
  const resident = Math.round(process.memoryUsage().rss / 1e6)
  const status = existsSync(PROCESS_STATUS) ? readFileSync(PROCESS_STATUS, 'utf8') : ''
  const anonymousKib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]
  if (anonymousKib === undefined) return `${resident} MB resident`
  return `${resident} MB resident, ${Math.round((Number(anonymousKib) * 1024) / 1e6)} MB without files`
}

function allocatedBytes(directory: string): number {
  return globSync('**', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).blocks * 512, 0)
}
