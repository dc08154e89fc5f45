/**
 * From `argv` to a command with its options and arguments: a pure function over the command table.
 *
 * Nothing is guessed: no abbreviations, no option given twice unless the table says so, values
 * checked by type. Every refusal says what would have been right. Rules CL2, CL3, CL6 and CL7 of
 * docs/spec/cli.md.
 *
 * @module
 */
import type { CommandSpec, OptionSpec, PositionalSpec, ValueSpec } from './command-spec.ts'
import { COMMANDS, optionsOf } from './command-table.ts'
import { nearestWord } from './nearest.ts'
import { parseByteSize } from './text/byte-size.ts'

/** The arguments of one call, checked against the table. Getters assert that the name is right. */
export class Arguments {
  readonly command: CommandSpec
  readonly positionals: readonly string[]
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(
    command: CommandSpec,
    positionals: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
  ) {
    this.command = command
    this.positionals = positionals
    this.#values = values
  }

  flag(name: string): boolean {
    return this.#values.has(name)
  }

  /** Every value of an option, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  integer(name: string): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : Number(text)
  }

  /** A positional that the table requires; `''` only for an optional one that is missing. */
  positional(position: number): string {
    return this.positionals[position] ?? ''
  }
}

export type Parsed =
  | { readonly kind: 'run'; readonly args: Arguments }
  /** `command` is undefined for the overview. */
  | { readonly kind: 'help'; readonly command: CommandSpec | undefined; readonly json: boolean }
  | { readonly kind: 'version'; readonly json: boolean }
  /** `hint` says what to do; `json` how the caller wants to be told. */
  | {
      readonly kind: 'problem'
      readonly message: string
      readonly hint: string
      readonly json: boolean
    }

/** Internal: unwinds to `parseArguments`, which returns it as a value. */
class Problem extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

export function parseArguments(argv: readonly string[]): Parsed {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const json = words.includes('--json')
  if (words.includes('--help') || words.includes('-h')) return parseHelp(words, json)
  if (words[0] === 'help') return parseHelpCommand(words, json)
  if (words.includes('--version')) return { kind: 'version', json }
  try {
    return { kind: 'run', args: parseRun(argv) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { kind: 'problem', message: error.message, hint: error.hint, json }
  }
}

function parseHelp(words: readonly string[], json: boolean): Parsed {
  const plain = words.filter((word) => !word.startsWith('-') && word !== 'help')
  const found =
    COMMANDS.find(({ name }) => name === `${plain[0]} ${plain[1]}`) ??
    COMMANDS.find(({ name }) => name === plain[0])
  return { kind: 'help', command: found, json }
}

/** `help COMMAND`: unlike after `--help`, it is plain which word has to be a command. */
function parseHelpCommand(words: readonly string[], json: boolean): Parsed {
  const parsed = parseHelp(words, json)
  const [, word] = words
  if (parsed.kind !== 'help' || parsed.command !== undefined || word === undefined) return parsed
  if (word.startsWith('-') || isGroup(word)) return parsed
  const { message, hint } = unknownCommand(word)
  return { kind: 'problem', message, hint, json }
}

/** State of one pass over the words. */
interface Pass {
  readonly argv: readonly string[]
  next: number
  /** `id` while its second word is awaited. */
  group: string | undefined
  command: CommandSpec | undefined
  readonly positionals: string[]
  readonly values: Map<string, string[]>
}

function parseRun(argv: readonly string[]): Arguments {
  const pass: Pass = {
    argv,
    next: 0,
    group: undefined,
    command: undefined,
    positionals: [],
    values: new Map(),
  }
  let optionsEnded = false
  while (pass.next < argv.length) {
    const word = argv[pass.next++]!
    if (!optionsEnded && word === '--') optionsEnded = true
    else if (!optionsEnded && word.startsWith('--')) takeLongOption(pass, word)
    else if (!optionsEnded && word.startsWith('-') && word !== '-') takeShortOption(pass, word)
    else takeWord(pass, word)
  }
  if (pass.command === undefined) throw missingCommand(pass.group)
  checkPositionals(pass.command, pass.positionals)
  checkCombination(pass.command, pass.values)
  return new Arguments(pass.command, pass.positionals, pass.values)
}

function missingCommand(group: string | undefined): Problem {
  if (group === undefined) return new Problem('no command', 'See `longshore --help`.')
  const words = COMMANDS.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name)
  return new Problem(`${group} needs one more word`, `One of: ${words.join(', ')}.`)
}

function takeWord(pass: Pass, word: string): void {
  if (pass.command !== undefined) {
    pass.positionals.push(word)
    return
  }
  const full = pass.group === undefined ? word : `${pass.group} ${word}`
  pass.command = COMMANDS.find(({ name }) => name === full)
  if (pass.command !== undefined) return
  if (pass.group === undefined && isGroup(word)) {
    pass.group = word
    return
  }
  throw unknownCommand(full)
}

/** The first word of commands that have two. */
function isGroup(word: string): boolean {
  return COMMANDS.some(({ name }) => name.startsWith(`${word} `))
}

function unknownCommand(full: string): Problem {
  const near = nearestWord(
    full,
    COMMANDS.map(({ name }) => name),
  )
  return new Problem(`there is no command ${quote(full)}`, didYouMean(near, 'longshore --help'))
}

function takeLongOption(pass: Pass, word: string): void {
  const equals = word.indexOf('=')
  const name = equals === -1 ? word.slice(2) : word.slice(2, equals)
  const inline = equals === -1 ? undefined : word.slice(equals + 1)
  const option = optionsOf(pass.command).find((candidate) => candidate.name === name)
  if (option === undefined) throw unknownOption(pass.command, `--${name}`)
  takeOption(pass, option, `--${name}`, inline)
}

/** `-o FILE` or `-oFILE`; flags of one letter are not joined. */
function takeShortOption(pass: Pass, word: string): void {
  const option = optionsOf(pass.command).find((candidate) => candidate.short === word[1])
  if (option === undefined) throw unknownOption(pass.command, word)
  takeOption(pass, option, `-${word[1]}`, word.length > 2 ? word.slice(2) : undefined)
}

function unknownOption(command: CommandSpec | undefined, given: string): Problem {
  const near = nearestWord(
    given.replace(/^-+/, ''),
    optionsOf(command).map((option) => option.name),
  )
  if (command === undefined) {
    return new Problem(
      `unknown option ${quote(given)} before the command`,
      didYouMean(near && `--${near}`, 'longshore --help'),
    )
  }
  return new Problem(
    `${command.name} has no option ${quote(given)}`,
    didYouMean(near && `--${near}`, `longshore ${command.name} --help`),
  )
}

function takeOption(
  pass: Pass,
  option: OptionSpec,
  shown: string,
  inline: string | undefined,
): void {
  const values = pass.values.get(option.name) ?? []
  if (values.length > 0 && option.many !== true) {
    throw new Problem(`${shown} is given twice`, 'Give it once.')
  }
  if (option.value === undefined) {
    if (inline !== undefined) throw new Problem(`${shown} takes no value`, `Write only ${shown}.`)
    values.push('')
  } else {
    const value = inline ?? pass.argv[pass.next++]
    if (value === undefined) {
      throw new Problem(`${shown} needs a value`, `Write ${shown} ${option.value.name}.`)
    }
    checkValue(option.value, value, shown)
    values.push(value)
  }
  pass.values.set(option.name, values)
}

const LEVELS: readonly string[] = ['stored', 'buffered']
const LEVEL_HINT = 'One of: stored, buffered, replicated:K with K from 1 to 64 mirrors.'
const LEVEL = /^(?:stored|buffered|(?:replicated|witnessed):(?:[1-9]|[1-5][0-9]|6[0-4]))$/

function checkValue(spec: ValueSpec, value: string, shown: string): void {
  const { choices } = spec
  if (choices !== undefined && !choices.includes(value)) {
    const near = nearestWord(value, choices)
    const hint = near === undefined ? `One of: ${choices.join(', ')}.` : `Did you mean ${near}?`
    throw new Problem(`${shown} cannot be ${quote(value)}`, hint)
  }
  if (spec.type === 'integer' && !isInteger(value)) {
    throw new Problem(
      `${shown} has to be a whole number from 0, not ${quote(value)}`,
      'Entries are counted from 0.',
    )
  }
  if (spec.type === 'byteSize' && parseByteSize(value) === undefined) {
    throw new Problem(
      `${shown} has to be a number of bytes, not ${quote(value)}`,
      'For example 512, 64K or 1M.',
    )
  }
  if (spec.type === 'level' && !LEVEL.test(value)) {
    const isCount = value.startsWith('replicated')
    const near = isCount ? undefined : nearestWord(value, LEVELS)
    const hint = near === undefined ? LEVEL_HINT : `Did you mean ${near}?`
    throw new Problem(`${shown} cannot be ${quote(value)}`, hint)
  }
  if (spec.type === 'pair' && value.indexOf('=') < 1) {
    throw new Problem(`${shown} has to look like KEY=VALUE, not ${quote(value)}`, 'Put in the =.')
  }
  if ((spec.type === 'file' || spec.type === 'directory' || spec.type === 'name') && value === '') {
    throw new Problem(`${shown} is empty`, 'Is a variable of your shell empty?')
  }
}

function isInteger(text: string): boolean {
  return /^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text))
}

function checkPositionals(command: CommandSpec, given: readonly string[]): void {
  const see = `See \`longshore ${command.name} --help\`.`
  const { positionals } = command
  const last = positionals.at(-1)
  if (given.length > positionals.length && last?.many !== true) {
    throw new Problem(`${command.name} does not take ${quote(given[positionals.length]!)}`, see)
  }
  for (const [position, spec] of positionals.entries()) {
    if (given[position] === undefined && spec.optional !== true) {
      throw new Problem(`${command.name} needs ${spec.value.name}`, see)
    }
  }
  for (const [position, value] of given.entries()) {
    const spec: PositionalSpec = positionals[position] ?? last!
    checkValue(spec.value, value, spec.value.name)
  }
}

function checkCombination(command: CommandSpec, values: ReadonlyMap<string, unknown>): void {
  for (const option of command.options) {
    if (!values.has(option.name)) {
      if (option.required !== true) continue
      throw new Problem(
        `${command.name} needs --${option.name}`,
        `See \`longshore ${command.name} --help\`.`,
      )
    }
    const other = option.excludes?.find((name) => values.has(name))
    if (other !== undefined) {
      throw new Problem(`--${option.name} and --${other} exclude each other`, 'Choose one.')
    }
    if (option.requires !== undefined && !values.has(option.requires)) {
      throw new Problem(
        `--${option.name} needs --${option.requires}`,
        `Add --${option.requires}, or leave it out.`,
      )
    }
  }
}

function didYouMean(near: string | undefined, see: string): string {
  return near === undefined ? `See \`${see}\`.` : `Did you mean ${near}? See \`${see}\`.`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
