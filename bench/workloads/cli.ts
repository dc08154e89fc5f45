/**
 * The command line: how long a person waits.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const root = resolve(import.meta.dirname, '..', '..')
const bin = join(root, 'bin', 'longshore')

/** Mean milliseconds of one run. */
async function timeOf(windowMs: number, command: string, args: string[]): Promise<number> {
  return 1000 / (await rateOf(windowMs, 1, () => void execFileSync(command, args)))
}

function createProcess(
  name: string,
  role: Contender['role'],
  command: string,
  args: string[],
): Contender {
  return {
    ...{ name, role, durability: 'no disk' },
    measure: (windowMs) => timeOf(windowMs, command, args),
  }
}

const versionRow: Row = {
  title: 'longshore --version, warm',
  ...{ unit: 'ms', better: 'less', target: 150 },
  bound: 'the start of Node',
  contenders: async () => [
    createProcess('longshore', 'longshore', bin, ['--version']),
    createProcess('bare Node', 'limit', process.execPath, ['-e', '0']),
  ],
}

/** Fails loudly: a proof that does not verify must not count as a fast one. */
function run(clone: string, env: NodeJS.ProcessEnv, input: string, ...args: string[]): string {
  const result = spawnSync(join(clone, 'bin', 'longshore'), args, { env, input, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`longshore ${args.join(' ')}: ${result.stderr}`)
  return result.stdout.trim()
}

/** Seconds from `git clone` to a verified receipt, with the system's Node doing the set-up. */
function cloneToProof(directory: string, cache: string | undefined): number {
  const work = mkdtempSync(join(directory, 'clone-'))
  const clone = join(work, 'clone')
  const path = (process.env['PATH'] ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
  const { npm_execpath: _, ...inherited } = process.env
  const env = {
    ...inherited,
    PATH: path.join(':'),
    LONGSHORE_HOME: join(work, 'home'),
    XDG_STATE_HOME: join(work, 'state'),
    ...(cache === undefined ? {} : { npm_config_cache: cache }),
  }
  const started = performance.now()
  execFileSync('git', ['clone', '--quiet', root, clone])
  const { name } = JSON.parse(run(clone, env, '', 'create', '--json')) as { name: string }
  run(clone, env, 'hello\n', 'append', name)
  run(clone, env, '', 'receipt', name, '0', '-o', join(work, 'receipt'))
  const verdict = run(clone, env, '', 'verify', join(work, 'receipt'), '--name', name, '--json')
  const seconds = (performance.now() - started) / 1000
  if ((JSON.parse(verdict) as { ok: boolean }).ok !== true) throw new Error(verdict)
  rmSync(work, { recursive: true })
  return seconds
}

function cloneRow(title: string, target: number | undefined, cold: boolean): Row {
  return {
    title: `git clone to the first verified proof, ${title}`,
    ...{ unit: 's', better: 'less', once: true },
    ...(target === undefined ? {} : { target }),
    bound: 'npm ci: unpacking 0.4 GB, most of it the pinned Node and the compilers',
    contenders: async (directory) => {
      const cache = join(directory, 'npm-cache')
      mkdirSync(cache)
      return [
        {
          ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
          measure: () => cloneToProof(directory, cold ? cache : undefined),
        },
      ]
    },
  }
}

export const cliRows: readonly Row[] = [
  versionRow,
  cloneRow('warm npm cache', 30, false),
  cloneRow('cold npm cache', undefined, true),
]
