/**
 * `npm run check`: everything that can be judged without running the product, side by side.
 *
 * One line for each check; what a failing one printed follows. Exit code 1 if any fails.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const OUTPUT_LINES_MAX = 200

interface Check {
  readonly name: string
  /** Arguments of the pinned Node, or a program of node_modules/.bin. */
  readonly command: readonly [program: string, ...args: string[]]
}

const CHECKS: readonly Check[] = [
  { name: 'types', command: ['tsc', '--project', '.'] },
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '--colors=off'] },
  { name: 'tidy', command: ['node', 'scripts/tidy.ts', 'code'] },
  { name: 'documents', command: ['node', 'scripts/tidy.ts', 'docs'] },
  { name: 'licences', command: ['node', 'scripts/licences.ts'] },
]

interface Outcome {
  readonly code: number | null
  readonly seconds: number
  readonly output: string
}

function runCheck({ command: [program, ...args] }: Check): Promise<Outcome> {
  const started = performance.now()
  const path = program === 'node' ? process.execPath : resolve(root, 'node_modules/.bin', program)
  const child = spawn(path, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((settle) => {
    const finish = (code: number | null): void =>
      settle({ code, seconds: (performance.now() - started) / 1000, output })
    child.on('error', (error) => {
      output += error.message
      finish(null)
    })
    child.on('close', finish)
  })
}

const outcomes = await Promise.all(CHECKS.map(runCheck))
for (const [at, { name }] of CHECKS.entries()) {
  const { code, seconds, output } = outcomes[at] ?? { code: null, seconds: 0, output: '' }
  const verdict = code === 0 ? 'ok' : 'FAILED'
  console.log(`${verdict.padEnd(7)} ${name.padEnd(16)} ${seconds.toFixed(1)} s`)
  if (code === 0) continue
  process.exitCode = 1
  const lines = output.trimEnd().split('\n')
  for (const line of lines.slice(0, OUTPUT_LINES_MAX)) console.log(`        ${line}`)
  const left = lines.length - OUTPUT_LINES_MAX
  if (left > 0) console.log(`        ... and ${left} more lines`)
}
