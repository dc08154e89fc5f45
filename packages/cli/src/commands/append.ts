/**
 * `longshore append NAME [FILE...]`: input becomes entries, acknowledged commit by commit.
 *
 * Input is read only as fast as the capsule takes it. Whatever ends the command (the end of the
 * input, a bad line, a signal), what was read before is committed and reported first. Rules CL20
 * to CL28 of docs/spec/cli.md.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import { type Ack, type Capsule, type Level, openHome } from '@longshore/client/node'
import { appendTimed } from '../append-timed.ts'
import type { Context } from '../context.ts'
import { checkInputFiles, openByteSource } from '../input/byte-source.ts'
import { type InputPlan, planInput } from '../input/input-plan.ts'
import type { Piece } from '../input/piece.ts'
import { openCapsule } from '../open-capsule.ts'
import type { Output } from '../output.ts'
import { Progress } from '../progress.ts'
import { timeoutOption } from '../remote-options.ts'
import { formatByteSize } from '../text/byte-size.ts'
import { formatCount } from '../text/count.ts'
import { receiptObjects } from '../text/receipt.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  const plan = planInput(args)
  await checkInputFiles(plan.sources)
  const level = (args.text('level') ?? 'stored') as Level
  const interrupt = stop.finish()
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openCapsule(home, args.positional(0))
  const run = new AppendRun(capsule, { level, ...timeoutOption(args) }, out)
  let complete = false
  try {
    await run.appendAll(plan, interrupt)
    complete = !interrupt.aborted
  } finally {
    run.report(complete)
  }
}

/** The same for all entries of the command. */
interface AppendTerms {
  readonly level: Level
  readonly timeoutMs?: number
}

/** All sources in order. */
async function* cutSources(
  { sources, cutterOf }: InputPlan,
  interrupt: AbortSignal,
): AsyncGenerator<readonly Piece[]> {
  for (const path of sources) {
    if (interrupt.aborted) return
    yield* cutterOf(path)(openByteSource(path, interrupt))
  }
}

/** Counts and prints what was acknowledged. */
class AppendRun {
  readonly #capsule: Capsule
  readonly #options: AppendTerms
  readonly #out: Output
  readonly #progress: Progress
  #entries = 0
  #bytes = 0
  #first: number | undefined
  #size: number

  constructor(capsule: Capsule, options: AppendTerms, out: Output) {
    this.#capsule = capsule
    this.#options = options
    this.#out = out
    this.#progress = new Progress(out)
    this.#size = capsule.size
  }

  /** A problem with the input is thrown after what was read before it is acknowledged. */
  async appendAll(plan: InputPlan, interrupt: AbortSignal): Promise<void> {
    const [capsule, options] = [this.#capsule, this.#options]
    const batches = cutSources(plan, interrupt)
    const acks = plan.hasTimes
      ? appendTimed(capsule, this.#pieces(batches), options)
      : capsule.appendStream(this.#payloads(batches), options)
    for await (const ack of acks) {
      this.#acknowledged(ack)
      if (this.#out.json) await this.#out.flush()
    }
  }

  async *#payloads(batches: AsyncIterable<readonly Piece[]>): AsyncGenerator<Uint8Array> {
    for await (const batch of batches) {
      for (const { payload } of batch) {
        this.#bytes += payload.length
        yield payload
      }
    }
  }

  async *#pieces(batches: AsyncIterable<readonly Piece[]>): AsyncGenerator<Piece> {
    for await (const batch of batches) {
      for (const piece of batch) {
        this.#bytes += piece.payload.length
        yield piece
      }
    }
  }

  #acknowledged({ index, count, size, level, receipts }: Ack): void {
    this.#first ??= index
    this.#entries += count
    const grown = size > this.#size
    this.#size = Math.max(size, this.#size)
    this.#progress.update(this.#entries, this.#bytes)
    // Several acknowledgements of one commit have the same size; one line says it.
    if (!grown || !this.#out.json) return
    const held = receipts === undefined ? {} : { receipts: receiptObjects(receipts) }
    this.#out.line(JSON.stringify({ event: 'acked', size, level, ...held }))
  }

  /** `complete`: all input was read and appended. */
  report(complete: boolean): void {
    this.#progress.clear()
    const [name, level, size, entries] = [
      this.#capsule.text,
      this.#options.level,
      this.#size,
      this.#entries,
    ]
    const first = this.#first ?? null
    const storedSize = this.#storedSize()
    if (this.#out.json) {
      const done = { event: 'done', name, complete, entries, first, size, storedSize, level }
      this.#out.line(JSON.stringify(done))
      return
    }
    const what = formatCount(entries, 'entry', 'entries')
    const bytes = `${formatByteSize(this.#bytes)} read`
    if (!complete && storedSize !== null && storedSize > size) {
      const held = `stored up to size ${storedSize}`
      this.#out.remark(`${held}; acknowledged as ${level}: ${what} (${bytes})`)
    } else if (entries > 0 || complete) {
      this.#out.remark(`appended ${what} (${bytes}); size ${size}, ${level}`)
    }
  }

  /** Null if it cannot be read: what went wrong before is what matters then. */
  #storedSize(): number | null {
    try {
      return this.#capsule.size
    } catch (error) {
      if (isLongshoreError(error)) return null
      throw error
    }
  }
}
