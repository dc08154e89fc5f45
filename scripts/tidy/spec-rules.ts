/**
 * Every rule of docs/spec is tested, and every rule that a test names exists.
 *
 * A rule is `**CP3.** text` in a document. A test names the rules that it tests at the start of
 * its title: `CP3 CP4: a checkpoint with ...`. Transcripts name them in a comment line.
 *
 * @module
 */
import { zoneOf } from './rooms.ts'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule, Tree } from './tree.ts'

const DEFINITION = /\*\*([A-Z]{2}\d+)\.\*\*/g
const TITLE = /^((?:[A-Z]{2}\d+[, ]*)+):/
const RULE_ID = /[A-Z]{2}\d+/g

interface Place {
  readonly path: string
  readonly line: number
}

export const specRules: Rule = {
  name: 'rules',
  check: (tree) => {
    const defined = definitions(tree)
    const tested = mentions(tree)
    return [...duplicates(defined), ...untested(defined, tested), ...unknown(defined, tested)]
  },
}

type Places = ReadonlyMap<string, readonly Place[]>

function definitions(tree: Tree): Places {
  const found = new Map<string, Place[]>()
  for (const file of tree.texts) {
    if (!/^docs\/spec\/.*\.md$/.test(file.path)) continue
    for (const match of file.text.matchAll(DEFINITION)) {
      add(found, match[1] ?? '', { path: file.path, line: file.lineAt(match.index) })
    }
  }
  return found
}

function mentions(tree: Tree): Places {
  const found = new Map<string, Place[]>()
  for (const file of tree.sources) {
    if (!isTest(file)) continue
    file.walk((node) => {
      const text = node.type === 'Literal' ? node['value'] : templateStart(node)
      const title = typeof text === 'string' ? TITLE.exec(text) : null
      for (const [id] of title?.[1]?.matchAll(RULE_ID) ?? []) {
        add(found, id, { path: file.path, line: file.lineAt(node.start) })
      }
    })
  }
  for (const file of tree.texts) {
    if (!/\/test\/.*\.txt$/.test(file.path)) continue
    for (const [at, line] of file.lines.entries()) {
      const title = TITLE.exec(line.replace(/^#\s*/, ''))
      for (const [id] of title?.[1]?.matchAll(RULE_ID) ?? []) {
        add(found, id, { path: file.path, line: at + 1 })
      }
    }
  }
  return found
}

function isTest({ path }: SourceFile): boolean {
  const { kind } = zoneOf(path)
  return path.endsWith('.test.ts') || kind === 'testing' || kind === 'test'
}

function templateStart(node: { readonly type: string; readonly [key: string]: unknown }): unknown {
  if (node.type !== 'TemplateElement') return undefined
  return (node['value'] as { cooked?: string }).cooked
}

function add(places: Map<string, Place[]>, id: string, place: Place): void {
  const known = places.get(id)
  if (known === undefined) places.set(id, [place])
  else known.push(place)
}

function duplicates(defined: Places): Problem[] {
  return [...defined].flatMap(([id, places]) =>
    places.slice(1).map((place) => ({ ...place, message: `${id} is defined twice` })),
  )
}

function untested(defined: Places, tested: Places): Problem[] {
  return [...defined].flatMap(([id, [place]]) =>
    tested.has(id) || place === undefined
      ? []
      : [{ ...place, message: `${id} is in no test's title` }],
  )
}

/** One problem for each id, at its first mention. */
function unknown(defined: Places, tested: Places): Problem[] {
  return [...tested].flatMap(([id, [place]]) =>
    defined.has(id) || place === undefined
      ? []
      : [{ ...place, message: `${id} is no rule of docs/spec` }],
  )
}
