/**
 * For tests: runs a program that kills itself with SIGKILL before the n-th change that it makes to
 * the file system, so that a kill at every point can be tested without chance.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'

/** Synchronous calls of `node:fs` that change something. */
const CHANGES = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'fdatasyncSync',
  'renameSync',
  'mkdirSync',
  'rmSync',
  'rmdirSync',
  'truncateSync',
  'ftruncateSync',
]

/** Stands for the place in a program from which changes are counted. */
export const COUNT_FROM_HERE: string = `
  for (const name of ${JSON.stringify(CHANGES)}) {
    const change = fs[name]
    fs[name] = (...args) => {
      if (++changes === Number(process.env.KILL_BEFORE)) process.kill(process.pid, 'SIGKILL')
      return change(...args)
    }
  }
`

export interface Killed {
  readonly wasKilled: boolean
  /** Without a kill: how many changes there were. */
  readonly changeCount: number
}

/** Runs statements, with `COUNT_FROM_HERE` among them. */
export function runKilledBefore(change: number, program: string): Killed {
  const code = `import fs from 'node:fs'\nlet changes = 0\n${program}\nconsole.log(changes)`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...process.env, KILL_BEFORE: String(change) },
  })
  if (run.signal === 'SIGKILL') return { wasKilled: true, changeCount: change - 1 }
  if (run.status !== 0) throw new Error(`it failed: ${run.stderr}`)
  return { wasKilled: false, changeCount: Number(run.stdout) }
}

/** At most `countMax` of the changes 1 to `changeCount`: the last ones, others spread evenly. */
export function chooseKills(changeCount: number, countMax: number): number[] {
  const last = Math.min(Math.ceil(countMax / 2), changeCount)
  const others = changeCount - last
  const step = Math.max(1, Math.ceil(others / (countMax - last)))
  return Array.from({ length: changeCount }, (_, at) => at + 1).filter(
    (change) => change > others || change % step === 0,
  )
}
