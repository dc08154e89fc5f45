/**
 * Where `npm start` shows it: a screen that redraws itself on a terminal, plain lines elsewhere.
 *
 * @module
 */
import { formatCommands } from './commands.ts'
import { formatBlock, formatPlainLine, type Paint, PLAIN, type View } from './view.ts'

export interface Screen {
  /** Something happened. */
  note(line: string): void
  opened(view: View): void
  update(view: View): void
  close(): void
}

/** What a screen needs of a terminal; `process.stdout` has it. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const CLEAR_SCREEN = '\x1b[H\x1b[2J'
const ERASE_LINE = '\x1b[2K'
const ERASE_BELOW = '\x1b[J'
const RESET = '\x1b[0m'
const COLOUR = new RegExp(`(${'\x1b'}\\[[0-9;]*m)`)
const TITLE = 'Longshore  three domains, two routers, three mirrors; nobody trusts anybody'

const COLOURS: Paint = {
  strong: (text) => `\x1b[1m${text}${RESET}`,
  faint: (text) => `\x1b[2m${text}${RESET}`,
  bad: (text) => `\x1b[31m${text}${RESET}`,
}

/**
 * For terminals: the block is redrawn in place, what stands above it stays.
 *
 * The cursor rests below the block and is never hidden, so that however this ends, the terminal
 * is as it was. No line of the block is as wide as the terminal: only then it is known how many
 * rows it takes. Nobody knows what a terminal does with its rows when its width changes, so then
 * the screen is cleared and drawn anew.
 */
export function createTerminalScreen(terminal: Terminal, directory: string): Screen {
  let drawn = 0
  let shown: View | undefined
  const paint = process.env['NO_COLOR'] ? PLAIN : COLOURS

  function drawAbove({ name, resumed }: View): void {
    const prose = (text: string): string => wrapWords(text, terminal.columns)
    terminal.write(
      `${prose(TITLE).replace('Longshore', paint.strong)}\n\n` +
        `capsule  ${name}${resumed ? '  (resumed)' : ''}\n\n` +
        `${prose('Try these in another terminal, in this folder:')}\n\n` +
        // Not wrapped: a line that the terminal breaks by itself is copied as one.
        `${formatCommands(name, directory)}\n`,
    )
  }

  function drawBlock(view: View): void {
    const lines = formatBlock(view, terminal.rows, paint)
    const up = drawn === 0 ? '' : `\x1b[${drawn}A\r`
    const rows = lines.map((line) => `${ERASE_LINE}${clipLine(line, terminal.columns)}\n`)
    terminal.write(up + rows.join('') + ERASE_BELOW)
    drawn = lines.length
  }

  function redraw(): void {
    if (shown === undefined) return
    terminal.write(CLEAR_SCREEN)
    drawn = 0
    drawAbove(shown)
    drawBlock(shown)
  }

  return {
    note(line) {
      // Later the block shows it.
      if (shown === undefined) terminal.write(`${clipLine(line, terminal.columns)}\n`)
    },
    opened(view) {
      shown = view
      terminal.write(CLEAR_SCREEN)
      drawAbove(view)
      terminal.on('resize', redraw)
    },
    update(view) {
      shown = view
      drawBlock(view)
    },
    close() {
      terminal.off('resize', redraw)
    },
  }
}

/** For pipes and files: one line a second, and one for whatever happens. */
export function createPlainScreen(out: NodeJS.WritableStream, directory: string): Screen {
  let secondShown = -1
  return {
    note(line) {
      out.write(`${line}\n`)
    },
    opened({ name, resumed }) {
      out.write(
        `capsule ${name}${resumed ? ' (resumed)' : ''}\n${formatCommands(name, directory)}\n`,
      )
    },
    update(view) {
      const second = Math.floor(view.seconds)
      if (second === secondShown) return
      secondShown = second
      out.write(`${formatPlainLine(view)}\n`)
    },
    close() {},
  }
}

/** Breaks a sentence between words, where that is possible. */
function wrapWords(text: string, columns: number): string {
  return text
    .replaceAll(new RegExp(`(.{1,${Math.max(columns - 1, 1)}})(?: |$)`, 'g'), '$1\n')
    .trimEnd()
}

/**
 * Cuts a line so that at least one column of the terminal stays free, and shows with `…` that
 * something is missing. Colours take no room, and none is left switched on.
 */
export function clipLine(line: string, columns: number): string {
  let room = Math.max(columns - 1, 1)
  const parts = line.split(COLOUR)
  const width = parts.reduce((sum, part, at) => sum + (at % 2 === 0 ? part.length : 0), 0)
  if (width <= room) return line
  room -= 1
  let clipped = ''
  for (const [at, part] of parts.entries()) {
    if (at % 2 === 1) {
      clipped += part
      continue
    }
    clipped += part.slice(0, room)
    room -= Math.min(room, part.length)
    if (room === 0) break
  }
  return `${clipped}…${clipped.includes('\x1b') ? RESET : ''}`
}
