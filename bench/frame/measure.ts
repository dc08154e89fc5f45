/**
 * Windows of work, interleaved: what disturbs the machine for a while disturbs every contender.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  asStudy,
  type Contender,
  type FacetValues,
  type Measured,
  type Row,
  type RowResult,
  type Study,
} from './row.ts'

export interface Pace {
  readonly windowMs: number
  /** At least 3, for a median that one bad window cannot move. */
  readonly windowCount: number
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The smallest value that at least `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Runs a study below `workspace`, on the disk that is to be measured; a result for each facet. */
export async function measureStudy(
  study: Study,
  workspace: string,
  pace: Pace,
): Promise<RowResult[]> {
  mkdirSync(workspace, { recursive: true })
  const directory = mkdtempSync(join(workspace, 'row-'))
  const all = await study.contenders(directory)
  const contenders = all.flatMap((one) => ('absent' in one ? [] : [one]))
  const absent = all.flatMap((one) => ('absent' in one ? [one] : []))
  const windows = contenders.map((): FacetValues[] => [])
  try {
    const { warmUpWindows = 0.25 } = study
    if (!study.once) await measureAll(contenders, undefined, pace.windowMs * warmUpWindows)
    const rounds = study.once ? 1 : pace.windowCount
    for (let round = 0; round < rounds; round++) {
      await measureAll(contenders, windows, pace.windowMs)
    }
  } finally {
    for (const { close } of contenders) await close?.()
    rmSync(directory, { recursive: true, force: true })
  }
  return study.facets.map((facet, at): RowResult => {
    const measured = contenders.flatMap((contender, index) =>
      summarise(contender, windows[index] ?? [], at),
    )
    const { title, unit, better, target, bound } = facet
    return { title, unit, better, target, bound, measured, absent }
  })
}

export async function measureRow(row: Row, workspace: string, pace: Pace): Promise<RowResult> {
  const [result] = await measureStudy(asStudy(row), workspace, pace)
  return result as RowResult
}

/** What a contender showed of one facet; nothing if it has no such number. */
function summarise(
  { name, role, durability }: Contender<FacetValues>,
  windows: readonly FacetValues[],
  facet: number,
): Measured[] {
  const values = windows.flatMap((window) => window[facet] ?? [])
  if (values.length === 0) return []
  return [{ name, role, durability, value: median(values), windows: values }]
}

async function measureAll(
  contenders: readonly Contender<FacetValues>[],
  windows: readonly FacetValues[][] | undefined,
  windowMs: number,
): Promise<void> {
  for (const [at, contender] of contenders.entries()) {
    const value = await contender.measure(windowMs)
    windows?.[at]?.push(value)
  }
}

/** Calls `work` again and again for the window; returns operations per second. */
export async function rateOf(
  windowMs: number,
  operationsPerCall: number,
  work: () => Promise<unknown> | unknown,
): Promise<number> {
  const started = performance.now()
  let calls = 0
  let elapsed = 0
  do {
    const pending = work()
    if (pending instanceof Promise) await pending
    calls++
    elapsed = performance.now() - started
  } while (elapsed < windowMs)
  return (calls * operationsPerCall * 1000) / elapsed
}

/** Like `rateOf` for synchronous work that is too short to look at the clock after each call. */
export function tightRateOf(windowMs: number, callsPerLook: number, work: () => void): number {
  const started = performance.now()
  let calls = 0
  let elapsed = 0
  do {
    for (let i = 0; i < callsPerLook; i++) work()
    calls += callsPerLook
    elapsed = performance.now() - started
  } while (elapsed < windowMs)
  return (calls * 1000) / elapsed
}

/** `lanes` callers, each waiting for its own result before the next call. */
export async function rateInFlight(
  windowMs: number,
  lanes: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const started = performance.now()
  let done = 0
  const lane = async (): Promise<void> => {
    while (performance.now() - started < windowMs) {
      await work()
      done++
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return (done * 1000) / (performance.now() - started)
}
