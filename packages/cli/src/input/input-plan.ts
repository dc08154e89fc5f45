/**
 * What the options of `append` mean: which sources, cut how.
 *
 * @module
 */
import type { Arguments } from '../parse-arguments.ts'
import { parseByteSize } from '../text/byte-size.ts'
import type { NumberUnit } from '../text/time.ts'
import { STDIN } from './byte-source.ts'
import { createWholeCutter } from './chunks.ts'
import { createJsonLinesCutter } from './json-lines.ts'
import { splitLines } from './lines.ts'
import type { Cutter } from './piece.ts'

export interface InputPlan {
  /** Paths, `-` for stdin. */
  readonly sources: readonly string[]
  /** Pieces bring their own times. */
  readonly hasTimes: boolean
  /** How a source is cut. */
  cutterOf(source: string): Cutter
}

/** Without a mode, stdin is lines and a file is one entry (CL21). */
export function planInput(args: Arguments): InputPlan {
  const files = args.positionals.slice(1)
  const sources = files.length === 0 ? [STDIN] : files
  const cutter = chosenCutter(args)
  const whole = createWholeCutter(undefined)
  return {
    sources,
    hasTimes: args.flag('time-field'),
    cutterOf: (source) => cutter ?? (source === STDIN ? splitLines : whole),
  }
}

function chosenCutter(args: Arguments): Cutter | undefined {
  if (args.flag('lines')) return splitLines
  if (args.flag('json-lines')) {
    const field = args.text('time-field')
    const unit = (args.text('time-unit') ?? 's') as NumberUnit
    return createJsonLinesCutter(field === undefined ? undefined : { field, unit })
  }
  if (!args.flag('whole')) return undefined
  const chunk = args.text('chunk')
  return createWholeCutter(chunk === undefined ? undefined : parseByteSize(chunk))
}
