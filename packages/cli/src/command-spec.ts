/**
 * The shape of one line of the command table.
 *
 * The table (`command-table.ts`) is data. The parser, the help texts, the three completion scripts
 * and the reference in docs/spec/cli.md are all made from it, so they cannot disagree.
 *
 * @module
 */

/** How a value is checked by the parser (CL6) and completed by a shell. */
export type ValueType =
  | 'text'
  | 'file'
  | 'directory'
  | 'name'
  /** Whole number from 0. */
  | 'integer'
  /** Bytes: `512`, `64K`, `1M`, `1G` (powers of 1024), at least 1. */
  | 'byteSize'
  /** `stored`, `buffered`, `replicated:K` or `witnessed:K`, K from 1 to 64. */
  | 'level'
  /** `KEY=VALUE`, the key not empty. */
  | 'pair'

export interface ValueSpec {
  /** As printed in the synopsis: `FILE`, `N`. */
  readonly name: string
  readonly type: ValueType
  /** The only values allowed, for a `text` value. */
  readonly choices?: readonly string[]
}

export interface OptionSpec {
  /** Without the two hyphens. */
  readonly name: string
  /** One letter. */
  readonly short?: string
  /** A flag has none. */
  readonly value?: ValueSpec
  /** May be given more than once. */
  readonly many?: boolean
  /** May not be given together with these. */
  readonly excludes?: readonly string[]
  /** Makes no sense without this one. */
  readonly requires?: string
  /** The command refuses to run without it. */
  readonly required?: boolean
  readonly help: string
}

export interface PositionalSpec {
  readonly value: ValueSpec
  readonly optional?: boolean
  /** Takes all that remain; only the last positional may. */
  readonly many?: boolean
}

export interface CommandSpec {
  /** `append`, or two words: `id new`. */
  readonly name: string
  readonly summary: string
  readonly positionals: readonly PositionalSpec[]
  readonly options: readonly OptionSpec[]
  /** Paragraphs for `--help`: what the person has to know beyond the options. */
  readonly notes: readonly string[]
  /** The file in docs/spec/cli that describes each line of `--json`. */
  readonly schema?: string
}
