/**
 * Documents: links lead somewhere, headings form a tree, code blocks say what they are.
 *
 * @module
 */
import { posix } from 'node:path'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule, Tree } from './tree.ts'

/** One line of a document that is not inside a code block. */
interface ProseLine {
  readonly line: number
  readonly text: string
}

export const markdown: Rule = {
  name: 'markdown',
  check: (tree) =>
    tree.texts
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((file) => [...checkHeadings(file), ...checkLinks(tree, file), ...checkFences(file)]),
}

/** Only a fence without a language closes a block. */
const FENCE = /^\s*(```+|~~~+)\s*(\S*)/

function proseOf(file: SourceFile): ProseLine[] {
  const prose: ProseLine[] = []
  let fence: string | undefined
  for (const [at, text] of file.lines.entries()) {
    const [, mark, language] = FENCE.exec(text) ?? []
    if (fence === undefined && mark === undefined) prose.push({ line: at + 1, text })
    if (fence === undefined) fence = mark
    else if (mark === fence && language === '') fence = undefined
  }
  return prose
}

function headingsOf(file: SourceFile): { line: number; level: number; title: string }[] {
  return proseOf(file).flatMap(({ line, text }) => {
    const [, marks, title] = /^(#{1,6})\s+(.*)$/.exec(text) ?? []
    return marks === undefined ? [] : [{ line, level: marks.length, title: title ?? '' }]
  })
}

function checkHeadings(file: SourceFile): Problem[] {
  const headings = headingsOf(file)
  const problems: Problem[] = []
  const report = (line: number, message: string): void =>
    void problems.push({ path: file.path, line, message })
  if (headings[0]?.level !== 1) report(1, 'begin with one heading of level 1')
  for (const [at, { line, level }] of headings.entries()) {
    if (at > 0 && level === 1) report(line, 'a second heading of level 1')
    if (at > 0 && level > (headings[at - 1]?.level ?? 0) + 1) report(line, 'a level is skipped')
  }
  return problems
}

const LINK = /\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g

function checkLinks(tree: Tree, file: SourceFile): Problem[] {
  const problems: Problem[] = []
  for (const { line, text } of proseOf(file)) {
    const prose = text.replace(/`[^`]*`/g, '')
    for (const [, target = ''] of prose.matchAll(LINK)) {
      if (/^[a-z]+:/.test(target)) continue
      const message = refuseLink(tree, file, target)
      if (message !== undefined) problems.push({ path: file.path, line, message })
    }
  }
  return problems
}

function refuseLink(tree: Tree, file: SourceFile, target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const full = path === '' ? file.path : posix.join(posix.dirname(file.path), decodeURI(path))
  if (!tree.has(full.replace(/\/$/, ''))) return `${target}: there is no such file`
  const document = full.endsWith('.md') ? tree.file(full) : undefined
  if (anchor === undefined || document === undefined) return undefined
  const anchors = headingsOf(document).map(({ title }) => anchorOf(title))
  return anchors.includes(anchor) ? undefined : `${target}: there is no such heading`
}

/** As GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

function checkFences(file: SourceFile): Problem[] {
  const problems: Problem[] = []
  let open: { line: number; mark: string } | undefined
  for (const [at, text] of file.lines.entries()) {
    const [, mark, language] = FENCE.exec(text) ?? []
    if (mark === undefined) continue
    if (open === undefined) {
      open = { line: at + 1, mark }
      if (language === '') {
        const message = 'a code block without a language: text, ts, sh, ...'
        problems.push({ path: file.path, line: at + 1, message })
      }
    } else if (mark === open.mark && language === '') open = undefined
  }
  if (open !== undefined) {
    problems.push({ path: file.path, line: open.line, message: 'a code block that never ends' })
  }
  return problems
}
