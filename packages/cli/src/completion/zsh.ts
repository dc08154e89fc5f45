/**
 * Completion for zsh, on its own `_arguments`.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, ValueSpec } from '../command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS, optionsOf } from '../command-table.ts'
import { firstWords, groups, quote, secondWord } from './shell-words.ts'

export function formatZshCompletion(): string {
  const described = firstWords().map(({ word, summary }) => `    ${describe(word, summary)}`)
  const single = COMMANDS.filter(({ name }) => !name.includes(' '))
  return `#compdef longshore
# zsh completion for longshore; load with: source <(longshore completion zsh)
_longshore_names() {
  local -a names
  names=(\${(f)"$(longshore list --quiet 2>/dev/null)"})
  compadd -a names
}

_longshore() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C -A '-*' ${GLOBAL_OPTIONS.flatMap(formatOption).join(' ')} \\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${single.map((command) => formatCommand(command, command.name, '        ')).join('\n')}
${[...groups()].map(formatGroup).join('\n')}
      esac ;;
  esac
}

if [ "$funcstack[1]" = _longshore ]; then
  _longshore "$@"
else
  compdef _longshore longshore
fi
`
}

function formatGroup([word, commands]: readonly [string, readonly CommandSpec[]]): string {
  const described = commands.map((command) => describe(secondWord(command), command.summary))
  const cases = commands.map((command) =>
    formatCommand(command, secondWord(command), '            '),
  )
  return `        ${word})
          if ((CURRENT == 2)); then
            commands=(${described.join(' ')})
            _describe command commands
          else
            shift words; ((CURRENT--))
            case $words[1] in
${cases.join('\n')}
            esac
          fi ;;`
}

function formatCommand(command: CommandSpec, word: string, indent: string): string {
  const parts = optionsOf(command).flatMap(formatOption)
  for (const [position, { value, optional, many }] of command.positionals.entries()) {
    // After '*' a second colon would mean something else than "optional".
    const at = many === true ? '*' : `${position + 1}${optional === true ? ':' : ''}`
    parts.push(quote(`${at}:${escapeSpec(value.name)}:${action(value)}`))
  }
  return `${indent}${word}) _arguments ${parts.join(' ')} ;;`
}

function formatOption(option: OptionSpec): string[] {
  const { name, short, value, many, help } = option
  const tail = `[${escapeSpec(help)}]${value === undefined ? '' : `:${escapeSpec(value.name)}:${action(value)}`}`
  const repeat = many === true ? '*' : ''
  const long = quote(`${repeat}--${name}${tail}`)
  return short === undefined ? [long] : [long, quote(`${repeat}-${short}${tail}`)]
}

function action({ type, choices }: ValueSpec): string {
  if (choices !== undefined) return `(${choices.join(' ')})`
  if (type === 'file') return '_files'
  if (type === 'directory') return '_files -/'
  // A colon would begin an explanation.
  if (type === 'level') return '(stored buffered replicated\\:1 replicated\\:2)'
  return type === 'name' ? '_longshore_names' : ' '
}

function describe(word: string, summary: string): string {
  return quote(`${word}:${summary}`)
}

/** Brackets and colons have a meaning inside an `_arguments` specification. */
function escapeSpec(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&')
}
