/**
 * The reference in docs/spec/cli.md, made from the command table. A test keeps it in step.
 *
 * @module
 */
import type { CommandSpec, OptionSpec } from './command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS } from './command-table.ts'
import { formatOption, formatUsage } from './help.ts'

/** Markdown below a heading of level 2. */
export function formatReference(): string {
  return [
    '### Options of every command',
    GLOBAL_OPTIONS.map(formatOptionItem).join('\n'),
    ...COMMANDS.map(formatCommand),
  ].join('\n\n')
}

function formatCommand(command: CommandSpec): string {
  const { name, summary, options, notes, schema } = command
  const parts = [`### ${name}`, `\`${formatUsage(command)}\``, summary]
  if (options.length > 0) parts.push(options.map(formatOptionItem).join('\n'))
  parts.push(...notes)
  if (schema !== undefined) parts.push(`With \`--json\`: [${schema}](cli/${schema}.schema.json).`)
  return parts.join('\n\n')
}

function formatOptionItem(option: OptionSpec): string {
  return `- \`${formatOption(option)}\`: ${option.help}`
}
