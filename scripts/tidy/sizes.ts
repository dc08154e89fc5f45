/**
 * Files, functions and lines stay small enough to be read as a whole.
 *
 * @module
 */
import type { SourceFile, SyntaxNode } from './source-file.ts'
import type { Problem, Rule } from './tree.ts'

/** A longer file holds more than one concept. */
const FILE_LINES_MAX = 500

/** A longer function does more than one thing. Lines of functions inside it count for those. */
const FUNCTION_LINES_MAX = 70

const LINE_CHARACTERS_MAX = 100

/** A run that cannot be broken, such as a hash, an address or a sentence for people. */
const UNBREAKABLE = /[A-Za-z0-9+/=_.:%#?&-]{40,}|'[^']{50,}'|"[^"]{50,}"|`[^`]{50,}`/

const SHELL = /(^|\/)(\.ci\/run|bin\/[^/]+|[^/]+\.sh)$/

export const sizes: Rule = {
  name: 'sizes',
  check: (tree) => [
    ...tree.sources.flatMap((file) => [...checkLines(file), ...checkFunctions(file)]),
    ...tree.texts.filter(({ path }) => SHELL.test(path)).flatMap(checkLines),
  ],
}

function checkLines(file: SourceFile): Problem[] {
  const { path, lines } = file
  const problems: Problem[] = []
  if (lines.length - 1 > FILE_LINES_MAX) {
    const message = `${lines.length - 1} lines; split at ${FILE_LINES_MAX}`
    problems.push({ path, line: 1, message })
  }
  for (const [at, line] of lines.entries()) {
    if (line.length <= LINE_CHARACTERS_MAX || UNBREAKABLE.test(line)) continue
    problems.push({ path, line: at + 1, message: `${line.length} characters in one line` })
  }
  return problems
}

const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']

function checkFunctions(file: SourceFile): Problem[] {
  const found: { node: SyntaxNode; first: number; last: number; own: number }[] = []
  file.walk((node) => {
    if (!FUNCTIONS.includes(node.type)) return
    const [first, last] = [file.lineAt(node.start), file.lineAt(node.end)]
    const inner = last - first + 1
    // Parents come first, so the nearest enclosing function is the last one that still covers us.
    const parent = found.findLast(
      (outer) => outer.node.start <= node.start && node.end <= outer.node.end,
    )
    if (parent !== undefined) parent.own -= inner - 1
    found.push({ node, first, last, own: inner })
  })
  return found
    .filter(({ own }) => own > FUNCTION_LINES_MAX)
    .map(({ first, own }) => ({
      path: file.path,
      line: first,
      message: `a function of ${own} lines; split at ${FUNCTION_LINES_MAX}`,
    }))
}
