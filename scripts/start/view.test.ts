/** What `npm start` shows, on terminals of every size. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { clipLine, createTerminalScreen } from './screen.ts'
import { formatBlock, formatPlainLine, type NodeView, PLAIN, type View } from './view.ts'

const ROUTER: NodeView = {
  ...{ label: 'router-a', domain: 'harbor', isUp: true, clients: 1, held: undefined },
  links: [
    { to: 'router-b', costUs: 412 },
    { to: 'mirror-1', costUs: 300 },
    { to: 'mirror-2', costUs: null },
  ],
}
const MIRROR: NodeView = {
  ...{ label: 'mirror-1', domain: 'harbor', isUp: true, clients: 0, held: 100 },
  links: [{ to: 'router-a', costUs: 350 }],
}
const VIEW: View = {
  ...{ name: 'bafyreiexample', resumed: true, written: 12, acked: 11, verified: 10, lost: 0 },
  ...{ rate: 20, stored: 112, head: { size: 112, root: 'r'.repeat(44) }, delayMs: 8, seconds: 3 },
  nodes: [ROUTER, MIRROR, { ...MIRROR, label: 'mirror-2', isUp: false, links: [] }],
  happened: Array.from({ length: 20 }, (_, at) => `${at} s  something happened`),
}

test('FD5: routers, mirrors, links with cost, receipts and what is missing', () => {
  const lines = formatBlock(VIEW, 40, PLAIN)
  assert.deepEqual(
    lines.filter((line) => /^(router|mirror)/.test(line)),
    [
      'router-a harbor   up                         router-b 0.4, 2 mirrors, 1 client',
      'mirror-1 harbor   up            100      12  router-a 0.3',
      'mirror-2 harbor   down          100      12  ',
    ],
  )
  assert.match(formatPlainLine(VIEW), /written 12, acked 11, verified 10, lost 0, delay 8 ms/)
})

test('FD5: the block leaves a row of the terminal free, and shows the newest events', () => {
  for (const rows of [24, 30, 60]) {
    // Two routers and three mirrors.
    const nodes = [ROUTER, ROUTER, MIRROR, MIRROR, MIRROR]
    const lines = formatBlock({ ...VIEW, nodes }, rows, PLAIN)
    assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`)
    assert.ok(lines.includes('19 s  something happened'))
  }
})

test('a line is cut by what is seen of it, and no colour runs on', () => {
  assert.equal(clipLine('abcdef', 7), 'abcdef')
  assert.equal(clipLine('abcdef', 6), 'abcd…')
  assert.equal(clipLine('ab\x1b[1mcd\x1b[0mef', 7), 'ab\x1b[1mcd\x1b[0mef')
  assert.equal(clipLine('ab\x1b[1mcd\x1b[0mef', 5), 'ab\x1b[1mc…\x1b[0m')
  assert.equal(clipLine('abcdef', 1), '…')
})

/** Moves the cursor up to where the block begins. */
const UP = new RegExp(`${'\x1b'}\\[\\d+A`)

/** Keeps what was written; its width can change. */
class FakeTerminal extends EventEmitter {
  columns = 60
  rows = 24
  text = ''

  write(text: string): void {
    this.text += text
  }
}

test('FD5: every row of the block is narrower than the terminal, also after it was resized', () => {
  const terminal = new FakeTerminal()
  const screen = createTerminalScreen(terminal, '.longshore')
  screen.opened(VIEW)
  screen.update(VIEW)
  for (const columns of [60, 20, 200]) {
    terminal.columns = columns
    terminal.text = ''
    terminal.emit('resize')
    screen.update(VIEW)
    const [, block = ''] = terminal.text.split(UP)
    const rows = stripVTControlCharacters(block).trim().split('\n')
    assert.ok(rows.length > 10)
    for (const row of rows) assert.ok(row.length < columns, `${row.length} in ${columns}: ${row}`)
  }
  screen.close()
  assert.equal(terminal.listenerCount('resize'), 0)
  assert.ok(!terminal.text.includes('\x1b[?25l'), 'the cursor is hidden')
})
