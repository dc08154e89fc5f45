import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { COMMANDS, GLOBAL_OPTIONS } from '../command-table.ts'
import { formatBashCompletion } from './bash.ts'
import { formatFishCompletion } from './fish.ts'
import { formatZshCompletion } from './zsh.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-'))
after(() => rmSync(directory, { recursive: true }))

const SCRIPTS = {
  bash: formatBashCompletion(),
  zsh: formatZshCompletion(),
  fish: formatFishCompletion(),
}

function missing(shell: string): string | false {
  return spawnSync(shell, ['-c', 'true']).error === undefined ? false : `${shell} is not installed`
}

for (const [shell, script] of Object.entries(SCRIPTS)) {
  test(`CL5: ${shell} parses its script`, { skip: missing(shell) }, () => {
    const path = join(directory, shell)
    writeFileSync(path, script)
    const { status, stderr } = spawnSync(shell, ['-n', path], { encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.equal(status, 0)
  })

  test(`CL5: the script for ${shell} knows every command, option and fixed value`, () => {
    const words = COMMANDS.flatMap(({ name, options, positionals }) => [
      ...name.split(' '),
      ...options.map((option) => option.name),
      ...[...options, ...positionals].flatMap(({ value }) => value?.choices ?? []),
    ])
    for (const word of [...words, ...GLOBAL_OPTIONS.map(({ name }) => name)]) {
      assert.match(script, new RegExp(`(?<![a-z])${word}(?![a-z])`), word)
    }
  })
}

/** What bash offers for the last word; `longshore list` there answers with two names. */
function completeInBash(line: string): string[] {
  const input = `
longshore() { echo bafyA; echo bafyB; }
${SCRIPTS.bash}
COMP_WORDS=(${line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ')})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_longshore
printf '%s\\n' "\${COMPREPLY[@]}"
`
  const { stdout } = spawnSync('bash', [], { input, encoding: 'utf8' })
  return stdout.split('\n').filter((word) => word !== '')
}

test('CL5: bash completes commands, options, values, names and files', {
  skip: missing('bash'),
}, () => {
  assert.deepEqual(completeInBash('longshore ap'), ['append'])
  assert.deepEqual(completeInBash('longshore --home /tmp co'), ['compact', 'completion', 'connect'])
  assert.deepEqual(completeInBash('longshore id '), ['new', 'list', 'show'])
  assert.deepEqual(completeInBash('longshore append '), ['bafyA', 'bafyB'])
  assert.deepEqual(completeInBash('longshore id show bafyA'), ['bafyA'])
  assert.deepEqual(completeInBash('longshore append bafyA --lev'), ['--level'])
  assert.deepEqual(completeInBash('longshore append bafyA --level b'), ['buffered'])
  assert.deepEqual(completeInBash('longshore verify --name '), ['bafyA', 'bafyB'])
  const file = import.meta.filename
  assert.deepEqual(completeInBash(`longshore verify --name bafyA ${file.slice(0, -1)}`), [file])
  assert.deepEqual(completeInBash(`longshore export bafyA ${file.slice(0, -1)}`), [])
  assert.deepEqual(completeInBash('longshore completion '), ['bash', 'zsh', 'fish'])
})
