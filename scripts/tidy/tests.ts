/**
 * Tests run all of themselves: none is singled out, none skipped without a reason, none waits for
 * a clock.
 *
 * @module
 */
import { zoneOf } from './rooms.ts'
import type { SourceFile, SyntaxNode } from './source-file.ts'
import type { Problem, Rule } from './tree.ts'

const TEST_FUNCTIONS = ['test', 'it', 'describe', 'suite', 't']
const SLEEPS = ['setTimeout', 'setInterval']

export const tests: Rule = {
  name: 'tests',
  check: (tree) => tree.sources.filter(isTest).flatMap(checkFile),
}

function isTest({ path }: SourceFile): boolean {
  const { kind } = zoneOf(path)
  return path.endsWith('.test.ts') || kind === 'testing'
}

function checkFile(file: SourceFile): Problem[] {
  const problems: Problem[] = []
  const report = (node: SyntaxNode, message: string): void => {
    problems.push({ path: file.path, line: file.lineAt(node.start), message })
  }
  for (const { specifier, line } of file.imports) {
    if (specifier !== 'node:timers/promises') continue
    problems.push({ path: file.path, line, message: 'wait for what happens, not for a time' })
  }
  file.walk((node, parent) => {
    if (node.type === 'CallExpression') {
      const name = (node['callee'] as SyntaxNode)['name']
      if (SLEEPS.includes(name as string)) report(node, 'wait for what happens, not for a time')
    }
    if (node.type === 'MemberExpression') checkModifier(node, report)
    if (node.type === 'Property' && parent?.type === 'ObjectExpression') checkOption(node, report)
  })
  return problems
}

type Report = (node: SyntaxNode, message: string) => void

function checkModifier(node: SyntaxNode, report: Report): void {
  const object = (node['object'] as SyntaxNode)['name'] as string
  const property = (node['property'] as SyntaxNode)['name'] as string
  if (!TEST_FUNCTIONS.includes(object)) return
  if (property === 'only') report(node, `${object}.only hides all other tests`)
  if (property === 'todo') report(node, `${object}.todo: write the test`)
  if (property === 'skip' && object !== 't') report(node, `${object}.skip: give { skip: reason }`)
}

function checkOption(node: SyntaxNode, report: Report): void {
  const name = (node['key'] as SyntaxNode)['name']
  const isTrue = (node['value'] as SyntaxNode)['value'] === true
  if (isTrue && name === 'skip') report(node, 'skip: true: give a reason')
  if (isTrue && name === 'only') report(node, 'only: true hides all other tests')
  if (isTrue && name === 'todo') report(node, 'todo: true: write the test')
}
