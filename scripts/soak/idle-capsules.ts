/**
 * A home with many capsules that nobody uses: what do they cost a process that holds it?
 *
 * The home stays in `.longshore/soak/capsules`, so an interrupted run goes on where it stopped and
 * a second one only measures.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Home, openHome } from '@longshore/client/node'
import type { HomeCosts } from './open-capsules.ts'
import { SOAK_DIRECTORY } from './results.ts'

/** Created together: they share commits. */
const LANES = 64
const OPENS = 3

/** Facts to print and record, in this order. */
export async function runIdleCapsules(count: number): Promise<Record<string, string | number>> {
  process.env['XDG_STATE_HOME'] = join(SOAK_DIRECTORY, 'state')
  const path = join(SOAK_DIRECTORY, 'capsules')
  const { created, seconds } = await fill(path, count)
  const opens = Array.from({ length: OPENS }, () => openInNewProcess(path))
  const median = (of: (costs: HomeCosts) => number): string =>
    (opens.map(of).sort((a, b) => a - b)[Math.floor(OPENS / 2)] ?? Number.NaN).toFixed(0)
  return {
    capsules: opens[0]?.capsules ?? 0,
    created: created === 0 ? 'nothing: they were there' : `${created} in ${seconds} s`,
    'open in a new process': `${median(({ openMs }) => openMs)} ms, without loading the modules`,
    'memory after opening': `${median(({ opened }) => opened)} MB resident`,
    'memory after a list of all': `${median(({ listed }) => listed)} MB resident`,
    'list of all': `${median(({ listMs }) => listMs)} ms`,
    'memory after one append to each of 2000': `${median(({ appended }) => appended)} MB resident`,
  }
}

async function fill(path: string, count: number): Promise<{ created: number; seconds: number }> {
  await using home = await openHome({ path })
  const { capsuleCount } = await home.usage()
  const started = performance.now()
  let left = Math.max(0, count - capsuleCount)
  const created = left
  const lane = async (): Promise<void> => {
    while (left > 0) {
      if (left-- % 1000 === 0) process.stderr.write(`\r${left} capsules to go `)
      await createOne(home)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (created > 0) process.stderr.write('\n')
  return { created, seconds: Math.round((performance.now() - started) / 1000) }
}

/** One that was used once. */
async function createOne(home: Home): Promise<void> {
  await using capsule = await home.create({ labels: { soak: 'idle' } })
  await capsule.append('one entry')
}

function openInNewProcess(path: string): HomeCosts {
  const script = join(import.meta.dirname, 'open-capsules.ts')
  const output = execFileSync(process.execPath, [script, path], { encoding: 'utf8' })
  return JSON.parse(output) as HomeCosts
}
