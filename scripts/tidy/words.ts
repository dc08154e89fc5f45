/**
 * Words that do not belong here: names that say nothing, leftovers, and words for which the
 * project has another one (docs/GLOSSARY.md).
 *
 * @module
 */
import { zoneOf } from './rooms.ts'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule } from './tree.ts'

const EMPTY_NAMES = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'shared', 'stuff']

/** In pieces, so that this file does not contain what it looks for. */
const LEFTOVERS = new RegExp(
  `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`,
)

/** Parts of declared names, with the word to use. */
const WRONG_WORDS: readonly (readonly [wrong: RegExp, right: string])[] = [
  [/metadata/i, 'manifest, or what it is'],
  [/helper/i, 'what it does'],
  [/utils?$/i, 'what it does'],
  [/fork/i, 'branch or equivocation'],
  [/datum/i, 'entry'],
]

export const words: Rule = {
  name: 'words',
  check: (tree) => [
    ...tree.paths.flatMap(checkPath),
    ...[...tree.sources, ...tree.texts].flatMap(checkText),
    ...tree.sources.flatMap(checkDeclared),
  ],
}

function checkPath(path: string): Problem[] {
  return path
    .split('/')
    .map((part) => part.replace(/\..*$/, ''))
    .filter((part) => EMPTY_NAMES.includes(part))
    .map((part) => ({ path, line: 1, message: `"${part}" says nothing: name the concept` }))
}

function checkText(file: SourceFile): Problem[] {
  if (!LEFTOVERS.test(file.text)) return []
  return file.lines.flatMap((line, at) => {
    const found = LEFTOVERS.exec(line)
    return found === null
      ? []
      : [{ path: file.path, line: at + 1, message: `${found[0]}: do it, or open an issue` }]
  })
}

function checkDeclared(file: SourceFile): Problem[] {
  const zone = zoneOf(file.path)
  if (zone.kind === 'tool' || zone.kind === 'unknown') return []
  const problems: Problem[] = []
  file.walk((node) => {
    if (
      !/^(FunctionDeclaration|VariableDeclarator|Class|TSInterface|TSType|.*Property|Method)/.test(
        node.type,
      )
    )
      return
    const named = (node['id'] ?? node['key']) as { type?: string; name?: string } | null | undefined
    if (named?.type !== 'Identifier' || named.name === undefined) return
    for (const [wrong, right] of WRONG_WORDS) {
      if (!wrong.test(named.name)) continue
      const message = `${named.name}: say ${right} instead`
      problems.push({ path: file.path, line: file.lineAt(node.start), message })
    }
  })
  return problems
}
