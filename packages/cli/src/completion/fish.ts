/**
 * Completion for fish 3 and later.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, ValueSpec } from '../command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS } from '../command-table.ts'
import { firstWords, groups, secondWord, valueOptionSpellings } from './shell-words.ts'

/** More than a person types. */
const ARGUMENTS_MAX = 9999

export function formatFishCompletion(): string {
  return `# fish completion for longshore; load with: longshore completion fish | source
# Prints the words that are neither options nor their values: the command and its arguments.
function __longshore_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${valueOptionSpellings().join(' ')}
                set skip 1
            case '-*'
            case '*'
                echo $word
        end
    end
end
function __longshore_at
    set -l words (__longshore_words)
    test "$words" = "$argv"
end
function __longshore_in
    set -l words (__longshore_words)
    set -l length (count (string split ' ' -- $argv[1]))
    test (count $words) -ge $length; and test "$words[1..$length]" = "$argv[1]"
end
# The command, then the least and the greatest number of arguments before this one.
function __longshore_argument
    contains -- (commandline -opc)[-1] ${valueOptionSpellings().join(' ')}; and return 1
    __longshore_in $argv[1]; or return 1
    set -l before (math (count (__longshore_words)) - (count (string split ' ' -- $argv[1])))
    test $before -ge $argv[2]; and test $before -le $argv[3]
end
function __longshore_names
    longshore list --quiet 2>/dev/null
end
complete -c longshore -e
complete -c longshore -f
${GLOBAL_OPTIONS.map((option) => formatOption(option, '')).join('\n')}
${firstWords().map(formatFirstWord).join('\n')}
${[...groups()].flatMap(formatGroup).join('\n')}
${COMMANDS.flatMap(formatCommand).join('\n')}
`
}

function formatFirstWord({ word, summary }: { word: string; summary: string }): string {
  return `complete -c longshore -n '__longshore_at' -a ${quote(word)} -d ${quote(summary)}`
}

function formatGroup([word, commands]: readonly [string, readonly CommandSpec[]]): string[] {
  return commands.map((command) => formatSecondWord(word, command))
}

function formatSecondWord(word: string, command: CommandSpec): string {
  return `complete -c longshore -n '__longshore_at ${word}' -a ${quote(secondWord(command))} -d ${quote(command.summary)}`
}

function formatCommand(command: CommandSpec): string[] {
  const name = quoteInner(command.name)
  const inCommand = ` -n ${quote(`__longshore_in ${name}`)}`
  const options = command.options.map((option) => formatOption(option, inCommand))
  const positionals = command.positionals.flatMap(({ value, many }, position) => {
    const completed = formatValue(value)
    if (completed === '') return []
    const last = many === true ? ARGUMENTS_MAX : position
    const condition = quote(`__longshore_argument ${name} ${position} ${last}`)
    return [`complete -c longshore -n ${condition}${completed}`]
  })
  return [...options, ...positionals]
}

function formatOption({ name, short, value, help }: OptionSpec, condition: string): string {
  const letter = short === undefined ? '' : ` -s ${short}`
  const argument =
    value === undefined ? '' : ` ${value.type === 'file' ? '-r' : '-x'}${formatValue(value)}`
  return `complete -c longshore${condition} -l ${name}${letter}${argument} -d ${quote(help)}`
}

function formatValue({ type, choices }: ValueSpec): string {
  if (choices !== undefined) return ` -a ${quote(choices.join(' '))}`
  if (type === 'file') return ' -F'
  if (type === 'directory') return " -a '(__fish_complete_directories)'"
  if (type === 'level') return " -a 'stored buffered replicated:1 replicated:2'"
  return type === 'name' ? " -a '(__longshore_names)'" : ''
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function quoteInner(text: string): string {
  return text.includes(' ') ? `"${text}"` : text
}
