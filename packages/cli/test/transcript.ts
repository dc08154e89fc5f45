/**
 * Runs a transcript: shell commands with the output that they must have.
 *
 *     # CL17: comments say what is shown, and which rules
 *     $ longshore create
 *     <name:capsule>
 *     $ longshore append $capsule --level soon
 *     2> longshore: USAGE: --level cannot be "soon"
 *     2> ...
 *     [exit 2]
 *
 * Every command runs in a shell of its own, in a temporary directory with `bin/longshore` in its
 * PATH and a home that does not exist yet. Output is stdout, then stderr behind `2> `, then the
 * exit code if it is not 0. In expected output `<name>`, `<time>`, `<hex>`, `<base64>`,
 * `<number>`, `<bytes>` and `<text>` stand for any such thing, `<name:x>` also keeps it as `$x`
 * for later commands, `<x>` stands for what was kept, and a line `...` for any number of lines.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')

const PATTERNS: Readonly<Record<string, string>> = {
  name: 'bafyrei[a-z2-7]{52}',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z',
  hex: '[0-9a-f]{64}',
  base64: '[A-Za-z0-9+/]+={0,2}',
  number: '\\d+',
  bytes: '\\d+(?:\\.\\d+)? (?:B|[KMGT]iB)',
  text: '.*',
}

interface Step {
  readonly line: number
  readonly command: string
  readonly expected: readonly string[]
}

export interface TranscriptFailure {
  readonly step: string
  readonly expected: string
  readonly actual: string
}

/** Undefined if every command did what the transcript says. */
export async function runTranscript(path: string): Promise<TranscriptFailure | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'longshore transcript '))
  const kept = new Map<string, string>()
  try {
    for (const step of parseTranscript(readFileSync(path, 'utf8'))) {
      const actual = await runCommand(step.command, directory, kept)
      if (matchLines(step.expected, actual, kept)) continue
      return {
        step: `${path}:${step.line}: ${step.command}`,
        expected: step.expected.join('\n'),
        actual: actual.join('\n'),
      }
    }
    return undefined
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function parseTranscript(text: string): Step[] {
  const steps: { line: number; command: string; expected: string[] }[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const step = steps.at(-1)
    if (line.startsWith('# ') || line === '#') continue
    if (line.startsWith('$ ')) steps.push({ line: at + 1, command: line.slice(2), expected: [] })
    else if (line.startsWith('> ') && step !== undefined) step.command += `\n${line.slice(2)}`
    else if (step !== undefined) step.expected.push(line)
    else if (line !== '') throw new Error(`line ${at + 1} stands before the first command`)
  }
  for (const { expected } of steps) while (expected.at(-1) === '') expected.pop()
  return steps
}

function runCommand(
  command: string,
  directory: string,
  kept: ReadonlyMap<string, string>,
): Promise<string[]> {
  const env = {
    PATH: [join(root, 'bin'), join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    HOME: directory,
    LONGSHORE_HOME: join(directory, 'home'),
    XDG_STATE_HOME: join(directory, 'state'),
    LC_ALL: 'C.UTF-8',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    root,
    ...Object.fromEntries(kept),
  }
  const child = spawn('sh', ['-c', command], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      texts[name] += text
    })
  }
  return new Promise((done, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const errors = linesOf(texts.stderr).map((line) => `2> ${line}`)
      done([...linesOf(texts.stdout), ...errors, ...(code === 0 ? [] : [`[exit ${code}]`])])
    })
  })
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function matchLines(
  expected: readonly string[],
  actual: readonly string[],
  kept: Map<string, string>,
): boolean {
  const [first, ...rest] = expected
  if (first === undefined) return actual.length === 0
  if (first === '...') {
    return (
      actual.some((_, at) => matchLines(rest, actual.slice(at), kept)) || matchLines(rest, [], kept)
    )
  }
  const [line, ...others] = actual
  return line !== undefined && matchLine(first, line, kept) && matchLines(rest, others, kept)
}

function matchLine(expected: string, actual: string, kept: Map<string, string>): boolean {
  const names: string[] = []
  const pattern = expected.split(/(<[a-z0-9]+(?::[a-z]+)?>)/).map((part, at) => {
    if (at % 2 === 0) return escapePattern(part)
    const [kind = '', name] = part.slice(1, -1).split(':')
    const value = kept.get(kind)
    if (value !== undefined) return escapePattern(value)
    const known = PATTERNS[kind]
    if (known === undefined) return escapePattern(part)
    if (name !== undefined) names.push(name)
    return `(${known})`.replace('(', name === undefined ? '(?:' : '(')
  })
  const match = new RegExp(`^${pattern.join('')}$`, 'u').exec(actual)
  if (match === null) return false
  for (const [at, name] of names.entries()) kept.set(name, match[at + 1] ?? '')
  return true
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
