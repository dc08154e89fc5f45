/**
 * What `npm start` shows: a screen that redraws itself on a terminal, plain lines elsewhere.
 *
 * @module
 */
import { formatCommands } from './commands.ts'
import type { VerifiedHead } from './follower.ts'

export interface View {
  name: string
  resumed: boolean
  /** By this run. */
  written: number
  verified: number
  /** Entries per second over the last few seconds. */
  rate: number
  /** Entries in the capsule, as the writing process says. */
  stored: number
  /** The newest head that the reading process verified. */
  head: VerifiedHead
  /** Median over the last deliveries, milliseconds; undefined before the first. */
  delayMs: number | undefined
  seconds: number
}

export interface Screen {
  opened(view: View): void
  update(view: View): void
  close(): void
}

/** What a screen needs of a terminal; `process.stdout` has it. */
export interface Terminal {
  readonly columns: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const CLEAR_SCREEN = '\x1b[H\x1b[2J'
const ERASE_LINE = '\x1b[2K'
const ERASE_BELOW = '\x1b[J'
const RESET = '\x1b[0m'
const COLOUR = new RegExp(`(${'\x1b'}\\[[0-9;]*m)`)

/**
 * For terminals: the block of numbers is redrawn in place, what stands above it stays.
 *
 * The cursor rests below the block and is never hidden, so that however this ends, the terminal
 * is as it was. No line of the block is as wide as the terminal: only then it is known how many
 * rows it takes. Nobody knows what a terminal does with its rows when its width changes, so then
 * the screen is cleared and drawn anew.
 */
export function createTerminalScreen(terminal: Terminal, home: string): Screen {
  let drawn = 0
  let shown: View | undefined
  const bold = (text: string): string => (process.env['NO_COLOR'] ? text : `\x1b[1m${text}${RESET}`)

  function drawAbove({ name, resumed }: View): void {
    const prose = (text: string): string => wrapWords(text, terminal.columns)
    const title = prose(
      "Longshore  this host's telemetry, signed by one process, verified by another",
    )
    terminal.write(
      `${title.replace('Longshore', bold)}\n\n` +
        `capsule  ${name}${resumed ? '  (resumed)' : ''}\n\n` +
        `${prose('Try these in another terminal, in this folder:')}\n\n` +
        // Not wrapped: a line that the terminal breaks by itself is copied as one.
        `${formatCommands(name, home)}\n` +
        `${prose('Ctrl-C stops; the next npm start goes on with the same capsule.')}\n\n`,
    )
  }

  function drawBlock(view: View): void {
    const lines = [
      `entries     ${bold(String(view.written))} written here, ${view.stored} in the capsule`,
      `verified    ${bold(String(view.verified))} by the other process${delayText(view)}`,
      `rate        ${view.rate.toFixed(1)} entries a second, ${Math.floor(view.seconds)} s`,
      `checkpoint  size ${view.head.size}  root ${view.head.root}`,
    ]
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
    opened(view) {
      shown = view
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

/** For pipes and files: one line a second. */
export function createPlainScreen(out: NodeJS.WritableStream, home: string): Screen {
  let secondShown = -1
  return {
    opened(view) {
      out.write(
        `capsule ${view.name}${view.resumed ? ' (resumed)' : ''}\n${formatCommands(view.name, home)}\n`,
      )
    },
    update(view) {
      const second = Math.floor(view.seconds)
      if (second === secondShown) return
      secondShown = second
      out.write(
        `entries ${view.written} verified ${view.verified} rate ${view.rate.toFixed(1)}/s` +
          ` size ${view.head.size} root ${view.head.root}\n`,
      )
    },
    close() {},
  }
}

function delayText(view: View): string {
  return view.delayMs === undefined
    ? ''
    : `, ${view.delayMs.toFixed(0)} ms after they were measured`
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
