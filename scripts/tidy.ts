/**
 * Tidy: what no compiler checks and no reviewer should have to say. `npm run check` runs it.
 *
 *     node scripts/tidy.ts [code|docs]
 *
 * Each rule is a file in `tidy/` with a test that plants a violation.
 *
 * @module
 */
import { resolve } from 'node:path'
import { bannedNames } from './tidy/banned-names.ts'
import { comments } from './tidy/comments.ts'
import { deadCode } from './tidy/dead-code.ts'
import { imports } from './tidy/imports.ts'
import { machine } from './tidy/machine.ts'
import { markdown } from './tidy/markdown.ts'
import { sizes } from './tidy/sizes.ts'
import { specRules } from './tidy/spec-rules.ts'
import { syntax } from './tidy/syntax.ts'
import { tests } from './tidy/tests.ts'
import { type Rule, readTree } from './tidy/tree.ts'
import { words } from './tidy/words.ts'

const CODE_RULES: readonly Rule[] = [
  ...[syntax, imports, bannedNames, sizes, deadCode, words, comments, tests, machine],
]
const DOCUMENT_RULES: readonly Rule[] = [markdown, specRules]

const part = process.argv[2]
const rules = [...(part === 'docs' ? [] : CODE_RULES), ...(part === 'code' ? [] : DOCUMENT_RULES)]
const tree = readTree(resolve(import.meta.dirname, '..'))
let problems = 0
for (const { name, check } of rules) {
  for (const { path, line, message } of check(tree)) {
    console.log(`${path}:${line}: ${name}: ${message}`)
    problems++
  }
}
console.log(`${rules.length} rules, ${tree.paths.length} files, ${problems} problems`)
process.exitCode = problems === 0 ? 0 : 1
