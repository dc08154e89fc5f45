/**
 * What `npm start` shows: a screen that redraws itself on a terminal, plain lines elsewhere.
 *
 * @module
 */
import { formatCommands } from './commands.ts'

export interface View {
  name: string
  resumed: boolean
  written: number
  verified: number
  /** Entries per second over the last few seconds. */
  rate: number
  size: number
  root: string
  /** Median over the last deliveries, milliseconds; undefined before the first. */
  delayMs: number | undefined
  seconds: number
}

export interface Screen {
  opened(view: View): void
  update(view: View): void
  close(): void
}

const REDRAW_LINES_HIDDEN_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

/** For terminals: the block of numbers is redrawn in place, the commands stay where they are. */
export function createTerminalScreen(out: NodeJS.WriteStream): Screen {
  let drawn = 0
  const bold = (text: string): string => (process.env['NO_COLOR'] ? text : `\x1b[1m${text}\x1b[0m`)
  return {
    opened(view) {
      out.write(
        `${bold('Longshore')}  this host's telemetry, signed by one process, verified by another\n\n`,
      )
      out.write(`capsule  ${view.name}${view.resumed ? '  (resumed)' : ''}\n\n`)
      out.write(`Try these in another terminal, in this folder:\n\n${formatCommands(view.name)}\n`)
      out.write(
        `Ctrl-C stops; the next npm start goes on with the same capsule.\n\n${REDRAW_LINES_HIDDEN_CURSOR}`,
      )
    },
    update(view) {
      const lines = [
        `entries     ${bold(String(view.written))} written here, ${view.size} in the capsule`,
        `verified    ${bold(String(view.verified))} by the other process${delayText(view)}`,
        `rate        ${view.rate.toFixed(1)} entries a second, ${Math.floor(view.seconds)} s`,
        `checkpoint  size ${view.size}  root ${view.root}`,
      ]
      if (drawn > 0) out.write(`\x1b[${drawn}A`)
      for (const line of lines) out.write(`\x1b[2K${clip(line, out.columns)}\n`)
      drawn = lines.length
    },
    close() {
      out.write(SHOW_CURSOR)
    },
  }
}

/** For pipes and files: one line a second. */
export function createPlainScreen(out: NodeJS.WritableStream): Screen {
  let secondShown = -1
  return {
    opened(view) {
      out.write(
        `capsule ${view.name}${view.resumed ? ' (resumed)' : ''}\n${formatCommands(view.name)}\n`,
      )
    },
    update(view) {
      const second = Math.floor(view.seconds)
      if (second === secondShown) return
      secondShown = second
      out.write(
        `entries ${view.written} verified ${view.verified} rate ${view.rate.toFixed(1)}/s` +
          ` size ${view.size} root ${view.root}\n`,
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

/** Cuts a line to the terminal's width, so that redrawing counts lines rightly. Ignores colours. */
function clip(line: string, columns: number | undefined): string {
  if (columns === undefined || line.length <= columns || line.includes('\x1b')) return line
  return line.slice(0, columns - 1)
}
