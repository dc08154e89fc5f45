/** `npm start`: what it shows, and that its numbers belong together. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { clipLine, createTerminalScreen, type View } from './screen.ts'

const SCRIPT = resolve(import.meta.dirname, '../start.ts')

interface Summary {
  readonly ok: boolean
  readonly size: number
  readonly root: string
  readonly entries: number
  readonly resumed: boolean
  readonly checkpoint: string
}

function runStart(directory: string): Summary {
  const args = ['--seconds', '1', '--json', '--home', join(directory, 'home')]
  const env = { ...process.env, XDG_STATE_HOME: join(directory, 'state') }
  const { stdout, stderr, status } = spawnSync(process.execPath, [SCRIPT, ...args], {
    env,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Summary
}

test('size and root of a summary are those of one signed head, also in a second run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-start-'))
  try {
    let sizeBefore = 0
    for (const resumed of [false, true]) {
      const { ok, size, root, entries, checkpoint, ...rest } = runStart(directory)
      assert.equal(ok, true)
      assert.equal(rest.resumed, resumed)
      assert.equal(size, sizeBefore + entries)
      assert.deepEqual(checkpoint.split('\n').slice(1, 3), [String(size), root])
      sizeBefore = size
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a line is cut by what is seen of it, and no colour runs on', () => {
  assert.equal(clipLine('abcdef', 7), 'abcdef')
  assert.equal(clipLine('abcdef', 6), 'abcd…')
  assert.equal(clipLine('ab\x1b[1mcd\x1b[0mef', 7), 'ab\x1b[1mcd\x1b[0mef')
  assert.equal(clipLine('ab\x1b[1mcd\x1b[0mef', 5), 'ab\x1b[1mc…\x1b[0m')
  assert.equal(clipLine('abcdef', 1), '…')
})

/** Keeps what was written; its width can change. */
class FakeTerminal extends EventEmitter {
  columns = 40
  text = ''

  write(text: string): void {
    this.text += text
  }
}

const VIEW: View = {
  ...{ name: 'bafyreiexample', resumed: true, written: 12, verified: 12, rate: 20, stored: 112 },
  ...{ head: { size: 112, root: 'r'.repeat(44) }, delayMs: 8, seconds: 3 },
}

test('every row of the block is narrower than the terminal, also after it was resized', () => {
  const terminal = new FakeTerminal()
  const screen = createTerminalScreen(terminal, '.longshore')
  screen.opened(VIEW)
  for (const columns of [40, 20, 120]) {
    terminal.columns = columns
    terminal.text = ''
    terminal.emit('resize')
    screen.update(VIEW)
    const [, block = ''] = terminal.text.split('\x1b[4A')
    const rows = stripVTControlCharacters(block).trim().split('\n')
    assert.equal(rows.length, 4)
    for (const row of rows) assert.ok(row.length < columns, `${row.length} in ${columns}: ${row}`)
  }
  screen.close()
  assert.equal(terminal.listenerCount('resize'), 0)
  assert.ok(!terminal.text.includes('\x1b[?25l'), 'the cursor is hidden')
})
