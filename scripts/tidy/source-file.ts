/**
 * One file of the tree: its text, and for code what the parser says about it, made on first use.
 *
 * @module
 */
import { type Comment, type ParseResult, parseSync } from 'oxc-parser'

/** A syntax node, as far as generic walking needs it. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface ImportedModule {
  readonly specifier: string
  readonly line: number
  /** Names taken from the module; `*` stands for all of them. */
  readonly names: readonly string[]
  readonly isReexport: boolean
}

export interface ExportedName {
  readonly name: string
  readonly line: number
  readonly isType: boolean
}

/** Sees `node`; `key` is the property of `parent` that holds it. */
export type Visit = (node: SyntaxNode, parent: SyntaxNode | undefined, key: string) => void

export class SourceFile {
  readonly path: string
  readonly text: string
  #lineStarts: number[] | undefined
  #parsed: ParseResult | undefined
  #program: SyntaxNode | undefined
  #imports: readonly ImportedModule[] | undefined

  constructor(path: string, text: string) {
    this.path = path
    this.text = text
  }

  get lines(): string[] {
    return this.text.split('\n')
  }

  /** 1-based line of a character offset. */
  lineAt(offset: number): number {
    this.#lineStarts ??= lineStartsOf(this.text)
    const starts = this.#lineStarts
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }

  get comments(): readonly Comment[] {
    return this.#parse().comments
  }

  /** What the parser could not read: one message, or undefined. */
  get syntaxError(): string | undefined {
    return this.#parse().errors[0]?.message
  }

  /** Every module that the file names: imports, re-exports and dynamic imports of a literal. */
  get imports(): readonly ImportedModule[] {
    this.#imports ??= this.#findImports()
    return this.#imports
  }

  #findImports(): ImportedModule[] {
    const { staticImports, staticExports, dynamicImports } = this.#parse().module
    const found: ImportedModule[] = []
    for (const { moduleRequest, entries, start } of staticImports) {
      const names = entries.map(({ importName }) => importNameOf(importName))
      const line = this.lineAt(start)
      found.push({ specifier: moduleRequest.value, line, names, isReexport: false })
    }
    for (const { entries, start } of staticExports) {
      for (const { moduleRequest, importName } of entries) {
        if (moduleRequest === null || moduleRequest === undefined) continue
        const names = [importNameOf(importName)]
        const line = this.lineAt(start)
        found.push({ specifier: moduleRequest.value, line, names, isReexport: true })
      }
    }
    for (const { moduleRequest, start } of dynamicImports) {
      const written = this.text.slice(moduleRequest.start, moduleRequest.end)
      const literal = /^(['"`])([^'"`$]*)\1$/.exec(written)
      if (literal === null) continue
      const [line, specifier] = [this.lineAt(start), literal[2] ?? '']
      found.push({ specifier, line, names: ['*'], isReexport: false })
    }
    return found
  }

  /** Names that this file itself declares and exports. */
  get exports(): ExportedName[] {
    const names: ExportedName[] = []
    for (const { entries } of this.#parse().module.staticExports) {
      for (const entry of entries) {
        const local = entry.moduleRequest === null || entry.moduleRequest === undefined
        const { name } = entry.exportName
        if (!local || name === null) continue
        names.push({ name, line: this.lineAt(entry.start), isType: entry.isType })
      }
    }
    return names
  }

  /** Visits every syntax node, parents first. */
  walk(visit: Visit): void {
    this.#program ??= this.#parse().program as unknown as SyntaxNode
    const pending: [SyntaxNode, SyntaxNode | undefined, string][] = [[this.#program, undefined, '']]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [node, parent, key] = next
      visit(node, parent, key)
      const children = childrenOf(node)
      for (let i = children.length - 1; i >= 0; i--) pending.push(children[i] as never)
    }
  }

  #parse(): ParseResult {
    this.#parsed ??= parseSync(this.path, this.text)
    return this.#parsed
  }
}

function importNameOf({ kind, name }: { kind: unknown; name: string | null }): string {
  return kind === 'Default' ? 'default' : kind === 'Name' ? (name ?? '*') : '*'
}

function childrenOf(node: SyntaxNode): [SyntaxNode, SyntaxNode, string][] {
  const children: [SyntaxNode, SyntaxNode, string][] = []
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) children.push([child, node, key])
    }
  }
  return children
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
