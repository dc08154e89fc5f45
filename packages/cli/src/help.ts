/**
 * Help texts, made from the command table.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, PositionalSpec } from './command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS } from './command-table.ts'

const WIDTH = 80
const SUMMARY_COLUMN = 14
const OPTION_COLUMN = 24

/** `longshore --help`. */
export function formatHelp(): string {
  const lines = [
    'longshore: append data here, prove anywhere that you read exactly what was written.',
    '',
    'Usage: longshore COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    'Commands:',
  ]
  for (const { name, summary } of COMMANDS) lines.push(...entry(name, summary, SUMMARY_COLUMN))
  lines.push('', 'Options of every command:')
  for (const option of GLOBAL_OPTIONS) {
    lines.push(...entry(formatOption(option), option.help, OPTION_COLUMN))
  }
  lines.push('', 'Start with:  name=$(longshore create); echo hello | longshore append "$name"')
  return `${lines.join('\n')}\n`
}

/** `longshore COMMAND --help`. */
export function formatCommandHelp(command: CommandSpec): string {
  const lines = [command.summary, '', `Usage: ${formatUsage(command)}`]
  if (command.options.length > 0) {
    lines.push('', 'Options:')
    for (const option of command.options) {
      lines.push(...entry(formatOption(option), option.help, OPTION_COLUMN))
    }
  }
  for (const note of command.notes) lines.push('', ...wrap(note, WIDTH))
  lines.push('', 'Options of every command: --home DIR, --json, --quiet, --version, --help.')
  return `${lines.join('\n')}\n`
}

/** `longshore receipt NAME INDEX [-o FILE]`. */
export function formatUsage(command: CommandSpec): string {
  return [
    'longshore',
    command.name,
    ...command.positionals.map(formatPositional),
    ...command.options.map(formatOptionUsage),
  ].join(' ')
}

/** `-o, --output FILE`. */
export function formatOption({ short, name, value }: OptionSpec): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value.name}`}`
}

function formatPositional({ value, optional, many }: PositionalSpec): string {
  const name = `${value.choices?.join('|') ?? value.name}${many === true ? '...' : ''}`
  return optional === true ? `[${name}]` : name
}

function formatOptionUsage({ short, name, value, many, required }: OptionSpec): string {
  const shown = short === undefined ? `--${name}` : `-${short}`
  const full = value === undefined ? shown : `${shown} ${value.choices?.join('|') ?? value.name}`
  if (required === true) return full
  return `[${full}]${many === true ? '...' : ''}`
}

/** Two columns; the right one wraps under itself. */
function entry(left: string, right: string, column: number): string[] {
  const [first = '', ...rest] = wrap(right, WIDTH - column - 2)
  const indent = ' '.repeat(column + 2)
  if (left.length > column - 2)
    return [`  ${left}`, `${indent}${first}`, ...rest.map((line) => indent + line)]
  return [`  ${left.padEnd(column)}${first}`, ...rest.map((line) => indent + line)]
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
