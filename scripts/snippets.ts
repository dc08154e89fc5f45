/**
 * The code in the documents, taken out and run, so that it stays true.
 *
 * - ` ```ts ` is type-checked and run, unless it is marked `no-run`.
 * - ` ```sh run ` is executed. The blocks of one document share one shell that starts in the clone,
 *   in the order of the document; each must end with 0.
 * - ` ```sh run registry ` needs a package registry as well, ` ```sh run needs=openssl,base32 `
 *   these tools.
 * - ` ```ts file=door.ts ` is also there as that file, for the blocks after it.
 * - ` ```text output `, as the next block after one of these, is what it printed: `…` stands for
 *   any text, and a line with nothing else for any number of lines.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')

export interface Snippet {
  readonly path: string
  /** Of the opening fence, 1-based. */
  readonly line: number
  readonly language: string
  /** Words after the language. */
  readonly marks: readonly string[]
  readonly code: string
  /** Of the output block that follows, if there is one. */
  readonly output: string | undefined
}

const FENCE = /^```(\S*)\s*(.*)$/

/** All code blocks of a document. */
export function extractSnippets(path: string, markdown: string): Snippet[] {
  const blocks: Omit<Snippet, 'output'>[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const open = FENCE.exec(lines[at] ?? '')
    if (open === null) continue
    const start = at
    at = lines.indexOf('```', start + 1)
    if (at < 0) throw new Error(`${path}:${start + 1}: the code block never ends`)
    const code = lines.slice(start + 1, at).join('\n')
    const marks = (open[2] ?? '').split(' ').filter((mark) => mark !== '')
    blocks.push({ path, line: start + 1, language: open[1] ?? '', marks, code })
  }
  return blocks.map((block, at) => {
    const next = blocks[at + 1]
    return { ...block, output: next?.marks.includes('output') ? next.code : undefined }
  })
}

export function isProgram({ language, marks }: Snippet): boolean {
  return language === 'ts' && !marks.includes('no-run')
}

export function isShell({ language, marks }: Snippet): boolean {
  return language === 'sh' && marks.includes('run')
}

/** What has to be on the machine: `registry`, or the names of tools. */
export function needsOf({ marks }: Snippet): string[] {
  const tools = markedValue(marks, 'needs')?.split(',') ?? []
  return marks.includes('registry') ? ['registry', ...tools] : tools
}

/** A program that the commands after it expect as a file. */
export function isFile({ marks }: Snippet): boolean {
  return markedValue(marks, 'file') !== undefined
}

function markedValue(marks: readonly string[], key: string): string | undefined {
  return marks.find((mark) => mark.startsWith(`${key}=`))?.slice(key.length + 1)
}

/** Whether what a snippet printed is what its document shows. */
export function matchesOutput(expected: string, actual: string): boolean {
  const pattern = expected
    .trim()
    .split('\n')
    .map((line) =>
      line.trim() === '…'
        ? '[^]*'
        : line.trimEnd().split('…').map(escapeRegExp).join('.*?') + '[ \\t]*',
    )
    .join('\n')
  return new RegExp(`^${pattern.replaceAll('\n[^]*\n', '\n(?:[^]*\n)?')}$`).test(actual.trim())
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** A home of its own; npm keeps its settings and its cache, which are those of the machine. */
export function snippetEnvironment(home: string): NodeJS.ProcessEnv {
  const { LONGSHORE_HOME: _, XDG_STATE_HOME: __, ...inherited } = process.env
  return {
    ...inherited,
    HOME: home,
    NO_COLOR: '1',
    npm_config_userconfig: inherited['npm_config_userconfig'] ?? join(homedir(), '.npmrc'),
    npm_config_cache: inherited['npm_config_cache'] ?? join(homedir(), '.npm'),
  }
}

export interface ShellResult {
  /** Of each block that began, in order. */
  readonly outputs: readonly string[]
  /** Of the last one that began. */
  readonly status: number | null
  readonly stderr: string
}

/** Runs the blocks in one shell, until the first that fails; files are written where it is. */
export function runShell(snippets: readonly Snippet[], env: NodeJS.ProcessEnv): ShellResult {
  const mark = '\u0001next block\u0001'
  const script = snippets
    .map((snippet) => `printf '%s' '${mark}'\n${shellCode(snippet)}\n`)
    .join('')
  const options = { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1 << 26 } as const
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['-c', `set -euo pipefail\n${script}`],
    options,
  )
  return { outputs: stdout.split(mark).slice(1), status, stderr }
}

function shellCode({ code, marks }: Snippet): string {
  const file = markedValue(marks, 'file')
  return file === undefined ? code : `cat > ${file} <<'END OF FILE'\n${code}\nEND OF FILE`
}

/** Writes programs as files below `directory`, which lies in the clone; returns their paths. */
export function writePrograms(programs: readonly Snippet[], directory: string): string[] {
  mkdirSync(directory, { recursive: true })
  const include = ['*.ts', join(ROOT, 'packages/*/src/**/*.d.ts')]
  const config = { extends: join(ROOT, 'tsconfig.json'), include, exclude: [] }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
  return programs.map(({ path, line, code }) => {
    const file = join(directory, `${path.replaceAll(/\W/g, '-')}-${line}.ts`)
    writeFileSync(file, `${code}\nexport {}\n`)
    return file
  })
}

/** What the compiler says about the programs; empty if nothing. */
export function checkPrograms(directory: string): string {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const { stdout, stderr } = spawnSync(tsc, ['--project', directory], { encoding: 'utf8' })
  return stdout + stderr
}

export function runProgram(file: string, env: NodeJS.ProcessEnv): ShellResult {
  const options = { cwd: env['HOME'], env, encoding: 'utf8' } as const
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], options)
  return { outputs: [stdout], status, stderr }
}
