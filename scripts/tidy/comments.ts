/**
 * Comments: every module says what it is, none is a banner, none is code.
 *
 * @module
 */
import { zoneOf } from './rooms.ts'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule } from './tree.ts'

const BANNER = /[-=*#~_/]{5,}/

/** Statements, as nobody writes them in a sentence. */
const CODE =
  /^\s*((const|let|var) \S+ =|import \S+ from|return \S+\(|if \(.*\) [{\w]|\S+\(.*\)[;{]$|\}$)/

export const comments: Rule = {
  name: 'comments',
  check: (tree) => tree.sources.flatMap((file) => [...checkHeader(file), ...checkEach(file)]),
}

function checkHeader(file: SourceFile): Problem[] {
  const { kind } = zoneOf(file.path)
  if (kind === 'unknown' || file.path.endsWith('.test.ts')) return []
  if (file.text.replace(/^#!.*\n/, '').startsWith('/**')) return []
  return [{ path: file.path, line: 1, message: 'begin with a doc comment: what is this module?' }]
}

function checkEach(file: SourceFile): Problem[] {
  const problems: Problem[] = []
  for (const { type, value, start } of file.comments) {
    const line = file.lineAt(start)
    const report = (message: string): void => void problems.push({ path: file.path, line, message })
    if (type === 'Line' && BANNER.test(value) && !/https?:/.test(value)) report('a section banner')
    if (type === 'Line' && CODE.test(value)) report('code in a comment')
  }
  return problems
}
