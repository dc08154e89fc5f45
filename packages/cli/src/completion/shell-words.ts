/**
 * What the three completion scripts share: views of the command table and quoting.
 *
 * @module
 */
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { COMMANDS, GLOBAL_OPTIONS } from '../command-table.ts'

/** What the commands of two words with this first one are about. */
const GROUP_SUMMARIES: Readonly<Record<string, string>> = {
  id: 'Manage identities.',
  node: 'Run nodes and look after them.',
  domain: 'Manage trust domains.',
}

/** The words that can stand first: `id` once for its three commands. */
export function firstWords(): { readonly word: string; readonly summary: string }[] {
  const words = new Map<string, string>()
  for (const { name, summary } of COMMANDS) {
    const [first = '', second] = name.split(' ')
    const shown = second === undefined ? summary : (GROUP_SUMMARIES[first] ?? summary)
    if (!words.has(first)) words.set(first, shown)
  }
  return [...words].map(([word, summary]) => ({ word, summary }))
}

/** The commands of two words, by the first one. */
export function groups(): ReadonlyMap<string, readonly CommandSpec[]> {
  const found = new Map<string, CommandSpec[]>()
  for (const command of COMMANDS) {
    const [first = '', second] = command.name.split(' ')
    if (second === undefined) continue
    found.set(first, [...(found.get(first) ?? []), command])
  }
  return found
}

export function secondWord(command: CommandSpec): string {
  return command.name.split(' ')[1] ?? ''
}

/** `--home` or `-o`: every way to write an option. */
export function spellings({ name, short }: OptionSpec): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]
}

/** Every option of every command that is followed by a value. */
export function valueOptionSpellings(): string[] {
  const all = [...GLOBAL_OPTIONS, ...COMMANDS.flatMap(({ options }) => options)]
  return [...new Set(all.filter(({ value }) => value !== undefined).flatMap(spellings))]
}

/** In single quotes, for sh, bash and zsh. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
