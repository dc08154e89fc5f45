/**
 * Lines for an operator, on stderr: one JSON object a line, or words.
 *
 *     {"time":"2026-11-21T03:17:43.123Z","level":"info","event":"node.link-up","peer":"bafyrei…"}
 *     2026-11-21T03:17:43.123Z info  node.link-up peer=bafyrei… remote=tls://10.0.0.7:4747
 *
 * Details can hold what a peer said: in words every character is printable ASCII, so that nobody
 * writes to the operator's terminal. Rule ND12 of docs/spec/node.md.
 *
 * @module
 */
import type { Runtime } from '@longshore/engine'

export type LogLevel = Parameters<Runtime['log']>[0]
type Details = Parameters<Runtime['log']>[2]

const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

export interface NodeLogOptions {
  readonly format: 'json' | 'text'
  /** This level and those before it in `LOG_LEVELS`. */
  readonly level: LogLevel
  readonly write: (line: string) => void
  readonly nowMs: () => number
}

export function createNodeLog({ format, level, write, nowMs }: NodeLogOptions): Runtime['log'] {
  const shown = new Set(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1))
  const formatLine = format === 'json' ? formatJson : formatText
  return (lineLevel, event, details) => {
    if (shown.has(lineLevel)) write(formatLine(isoTime(nowMs()), lineLevel, event, details))
  }
}

function formatJson(time: string, level: LogLevel, event: string, details: Details): string {
  return JSON.stringify({ time, level, event, ...details })
}

function formatText(time: string, level: LogLevel, event: string, details: Details = {}): string {
  const words = Object.entries(details).map(([key, value]) => `${key}=${formatValue(value)}`)
  return [time, level.padEnd(5), event, ...words].join(' ')
}

function formatValue(value: string | number): string {
  const text = String(value)
  if (/^[!-~]+$/.test(text) && !text.includes('"')) return text
  return JSON.stringify(text).replace(/[^ -~]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
