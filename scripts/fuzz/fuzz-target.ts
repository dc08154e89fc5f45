/**
 * One decoder under fire, and the loop that fires.
 *
 * Every input must either be refused with a documented error, or be accepted and then be exactly
 * what the encoder writes for what was read: one accepted spelling.
 *
 * @module
 */
import { bytesEqual, ERROR_CODES, formatHex, isLongshoreError } from '@longshore/capsule'
import { Prng } from '@longshore/engine/testing'
import { mutate } from './mutate.ts'

export interface FuzzTarget {
  readonly name: string
  /** Valid inputs, as different as possible. Called once. */
  readonly samples: () => readonly Uint8Array[]
  /**
   * Decodes, and encodes again what it read. `undefined` for a decoder that accepts several
   * spellings on purpose. Refusing is throwing a LongshoreError.
   */
  readonly roundTrip: (input: Uint8Array) => Uint8Array | undefined
  /** One input takes a millisecond or more: the smoke test takes fewer of them. */
  readonly isSlow?: boolean
}

export interface Finding {
  readonly iteration: number
  /** Hexadecimal. */
  readonly input: string
  readonly problem: string
}

export interface FuzzResult {
  readonly iterations: number
  readonly accepted: number
  readonly finding: Finding | undefined
}

export interface FuzzOptions {
  readonly seed: number
  readonly iterations: number
  /** Asked now and then; true ends the run early. */
  readonly isOver?: () => boolean
  /** Sees each input before the decoder does, so that somebody knows which one it hangs on. */
  readonly onInput?: (input: Uint8Array) => void
}

/**
 * No input may keep a decoder busy for longer; the longest valid ones take some milliseconds. Time
 * of this thread on a processor, so that a busy machine does not look like a slow decoder.
 */
const CALL_MS_MAX = 1000

const LOOK_EVERY = 64

/** A tenth of the inputs is noise without any sample behind it. */
const NOISE_SHARE = 0.1
const NOISE_BYTES_MAX = 300

/** Runs until the first finding. The same seed gives the same inputs. */
export function fuzz(target: FuzzTarget, options: FuzzOptions): FuzzResult {
  const samples = target.samples()
  if (samples.length === 0) throw new Error(`${target.name} has no samples`)
  const prng = new Prng(options.seed)
  let accepted = 0
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    if (iteration % LOOK_EVERY === 0 && options.isOver?.()) {
      return { iterations: iteration, accepted, finding: undefined }
    }
    const input = iteration < samples.length ? samples[iteration] : nextInput(samples, prng)
    if (input === undefined) continue
    options.onInput?.(input)
    const { problem, wasAccepted } = fire(target, input)
    if (wasAccepted) accepted++
    const mustAccept = iteration < samples.length
    const trouble = problem ?? (mustAccept && !wasAccepted ? 'refused a valid sample' : undefined)
    if (trouble === undefined) continue
    const finding = { iteration, input: formatHex(input), problem: trouble }
    return { iterations: iteration + 1, accepted, finding }
  }
  return { iterations: options.iterations, accepted, finding: undefined }
}

function nextInput(samples: readonly Uint8Array[], prng: Prng): Uint8Array {
  if (prng.chance(NOISE_SHARE)) return prng.bytes(prng.below(NOISE_BYTES_MAX))
  return mutate(prng.pick(samples), prng, samples)
}

interface Shot {
  readonly wasAccepted: boolean
  readonly problem: string | undefined
}

/** One input; also for a single one that somebody wants to look at again. */
export function fire(target: FuzzTarget, input: Uint8Array): Shot {
  const before = input.slice()
  const started = threadMs()
  const shot = fireOnce(target, input)
  const elapsedMs = threadMs() - started
  if (shot.problem !== undefined) return shot
  if (!bytesEqual(before, input)) return { ...shot, problem: 'changed its input' }
  if (elapsedMs > CALL_MS_MAX) return { ...shot, problem: `took ${Math.round(elapsedMs)} ms` }
  return shot
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function fireOnce(target: FuzzTarget, input: Uint8Array): Shot {
  let again: Uint8Array | undefined
  try {
    again = target.roundTrip(input)
  } catch (error) {
    return { wasAccepted: false, problem: describeRefusal(error) }
  }
  if (again === undefined || bytesEqual(again, input)) {
    return { wasAccepted: true, problem: undefined }
  }
  const problem = `accepted a second spelling; the encoder writes ${formatHex(again)}`
  return { wasAccepted: true, problem }
}

/** Undefined if it is the right way to refuse. */
function describeRefusal(error: unknown): string | undefined {
  if (!isLongshoreError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `threw something else than a LongshoreError: ${text}`
  }
  return error.code in ERROR_CODES ? undefined : `refused with the unknown code ${error.code}`
}
