/** Every program and every command in the documents runs and prints what the document says. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'node:test'
import {
  checkPrograms,
  extractSnippets,
  isFile,
  isProgram,
  isShell,
  matchesOutput,
  needsOf,
  runProgram,
  runShell,
  type ShellResult,
  type Snippet,
  snippetEnvironment,
  writePrograms,
} from './snippets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort()
const snippets = documents.flatMap((path) =>
  extractSnippets(path, readFileSync(join(ROOT, path), 'utf8')),
)

test('code blocks are found with their marks and their output', () => {
  const text =
    '# A\n\n```sh run registry\nls\n```\n\nprints\n\n```text output\na\n```\n\n```ts\nb\n```\n'
  const [shell, output, program] = extractSnippets('a.md', text)
  assert.deepEqual(shell, {
    ...{ path: 'a.md', line: 3, language: 'sh', marks: ['run', 'registry'] },
    ...{ code: 'ls', output: 'a' },
  })
  assert.deepEqual(output?.marks, ['output'])
  assert.equal(program?.line, 13)
  assert.throws(() => extractSnippets('a.md', '```sh\nls'), /never ends/)
})

test('what a block needs and the file that it is are read from its marks', () => {
  const text = '```sh run registry needs=a,b\nls\n```\n\n```ts file=c.ts\nd\n```\n'
  const [shell, program] = extractSnippets('a.md', text)
  assert.deepEqual(needsOf(shell!), ['registry', 'a', 'b'])
  assert.ok(!isFile(shell!))
  assert.ok(isFile(program!) && isProgram(program!))
  const { outputs } = runShell(
    [{ ...shell!, code: 'cd "$(mktemp -d)"' }, program!, { ...shell!, code: 'cat c.ts' }],
    process.env,
  )
  assert.deepEqual(outputs, ['', '', 'd\n'])
})

test('shown output matches exactly, but for the places that say so', () => {
  assert.ok(matchesOutput('a\nb', 'a\nb\n'))
  assert.ok(!matchesOutput('a\nb', 'a\nc\n'))
  assert.ok(!matchesOutput('a', 'a\nb\n'))
  assert.ok(matchesOutput('name bafy…\nsize 3', 'name bafyrei1\nsize 3\n'))
  assert.ok(!matchesOutput('name bafy…\nsize 3', 'name bafyrei1\nsize 4\n'))
  assert.ok(matchesOutput('a\n…\nz', 'a\nb\nc\nz\n'))
  assert.ok(matchesOutput('a\n…\nz', 'a\nz\n'))
  assert.ok(!matchesOutput('a.b', 'axb\n'))
})

function createHome(): string {
  return mkdtempSync(join(tmpdir(), 'longshore-snippets-'))
}

function checkOutput({ path, line, output }: Snippet, actual: string): void {
  if (output === undefined) return
  assert.ok(matchesOutput(output, actual), `${path}:${line} prints:\n${actual}`)
}

function checkStatus({ path, line }: Snippet, { status, stderr, outputs }: ShellResult): void {
  const shown = [...outputs.slice(-1), stderr].join('\n')
  assert.equal(status, 0, `${path}:${line} ends with ${status}:\n${shown}`)
}

/** Commands that fail where something is not there, by what it is. */
const PROBES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  registry: ['npm', 'view', 'vega-datasets@3.2.1', 'version'],
  openssl: ['openssl', 'version'],
  base32: ['base32', '--version'],
}
const answers = new Map<string, boolean>()

/** Why blocks cannot run here, or false if they can. */
function findMissing(blocks: readonly Snippet[]): string | false {
  for (const need of new Set(blocks.flatMap(needsOf))) {
    const [command, ...args] = PROBES[need] ?? ['false']
    const isThere = answers.get(need) ?? spawnSync(command, args, { timeout: 20_000 }).status === 0
    answers.set(need, isThere)
    if (!isThere) return need === 'registry' ? 'needs a package registry' : `needs ${need}`
  }
  return false
}

for (const path of documents) {
  const blocks = snippets.filter(
    (snippet) => snippet.path === path && (isShell(snippet) || isFile(snippet)),
  )
  const local = blocks.filter((block) => needsOf(block).length === 0)
  if (local.length > 0) test(`the commands of ${path}`, () => runBlocks(local))
  if (local.length === blocks.length) continue
  const skip = findMissing(blocks)
  test(`all commands of ${path}`, { skip }, () => runBlocks(blocks))
}

function runBlocks(blocks: readonly Snippet[]): void {
  const home = createHome()
  const result = runShell(blocks, snippetEnvironment(home))
  const last = blocks[result.outputs.length - 1]
  assert.ok(last !== undefined, result.stderr)
  checkStatus(last, result)
  for (const [at, block] of blocks.entries()) checkOutput(block, result.outputs[at] ?? '')
  rmSync(home, { recursive: true })
}

test('the programs in the documents compile and run', () => {
  const programs = snippets.filter(isProgram)
  // In the clone, because that is where packages are found.
  const directory = join(ROOT, '.longshore', `snippets-${process.pid}`)
  const files = writePrograms(programs, directory)
  try {
    assert.equal(checkPrograms(directory), '')
    for (const [at, program] of programs.entries()) {
      const home = createHome()
      const result = runProgram(files[at] ?? '', snippetEnvironment(home))
      checkStatus(program, result)
      checkOutput(program, result.outputs[0] ?? '')
      rmSync(home, { recursive: true })
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
