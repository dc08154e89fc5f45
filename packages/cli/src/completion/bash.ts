/**
 * Completion for bash 3.2 and later.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, PositionalSpec, ValueSpec } from '../command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS, optionsOf } from '../command-table.ts'
import { firstWords, groups, secondWord, spellings, valueOptionSpellings } from './shell-words.ts'

export function formatBashCompletion(): string {
  return `# bash completion for longshore; load with: source <(longshore completion bash)
_longshore_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_longshore_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); }
_longshore_directories() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")); }
_longshore_names() { _longshore_words "$("\${COMP_WORDS[0]}" list --quiet 2>/dev/null)"; }

_longshore() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local command='' group='' word i position=0 skip=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      ${valueOptionSpellings().join('|')}) skip=1 ;;
      -*) ;;
      *)
        if [ -n "$command" ]; then position=$((position + 1))
        elif [ -n "$group" ]; then command="$group $word"
        else
          case "$word" in
            ${[...groups().keys()].join('|')}) group="$word" ;;
            *) command="$word" ;;
          esac
        fi ;;
    esac
  done
  case "$command $prev" in
${COMMANDS.flatMap(formatOptionValues).join('\n')}
    *' --home') _longshore_directories; return ;;
  esac
  if [[ "$cur" == -* ]]; then
    case "$command" in
${COMMANDS.map(formatOptions).join('\n')}
      *) _longshore_words '${optionWords(GLOBAL_OPTIONS)}' ;;
    esac
    return
  fi
  if [ -z "$command" ]; then
    case "$group" in
${[...groups()].map(formatGroup).join('\n')}
      *) _longshore_words '${firstWords()
        .map(({ word }) => word)
        .join(' ')}' ;;
    esac
    return
  fi
  case "$command $position" in
${COMMANDS.flatMap(formatPositionals).join('\n')}
  esac
}
complete -F _longshore longshore
`
}

function formatGroup([word, commands]: readonly [string, readonly CommandSpec[]]): string {
  return `      ${word}) _longshore_words '${commands.map(secondWord).join(' ')}' ;;`
}

function formatOptions(command: CommandSpec): string {
  return `      '${command.name}') _longshore_words '${optionWords(optionsOf(command))}' ;;`
}

function formatOptionValues(command: CommandSpec): string[] {
  return command.options.flatMap((option) => {
    if (option.value === undefined) return []
    const patterns = spellings(option).map((spelling) => `'${command.name} ${spelling}'`)
    return [`    ${patterns.join('|')}) ${complete(option.value)}; return ;;`]
  })
}

function formatPositionals(command: CommandSpec): string[] {
  return command.positionals.map((positional, position) => {
    const pattern = positionPattern(positional, position)
    return `    '${command.name} '${pattern}) ${complete(positional.value)} ;;`
  })
}

function positionPattern({ many }: PositionalSpec, position: number): string {
  return many === true ? '*' : String(position)
}

function optionWords(options: readonly OptionSpec[]): string {
  return options.flatMap(spellings).join(' ')
}

function complete({ type, choices }: ValueSpec): string {
  if (choices !== undefined) return `_longshore_words '${choices.join(' ')}'`
  if (type === 'level') return "_longshore_words 'stored buffered replicated:1 replicated:2'"
  if (type === 'file') return '_longshore_files'
  if (type === 'directory') return '_longshore_directories'
  return type === 'name' ? '_longshore_names' : ':'
}
