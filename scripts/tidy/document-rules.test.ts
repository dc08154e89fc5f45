/** Each rule for documents finds a planted violation, and leaves the right form alone. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { markdown } from './markdown.ts'
import { specRules } from './spec-rules.ts'
import { type Rule, Tree } from './tree.ts'

function expect(rule: Rule, files: Record<string, string>, expected: readonly RegExp[]): void {
  const found = rule
    .check(new Tree(new Map(Object.entries(files))))
    .map(({ path, line, message }) => `${path}:${line} ${message}`)
  const shown = found.join('\n')
  assert.equal(found.length, expected.length, shown)
  for (const [at, pattern] of expected.entries()) assert.match(found[at] ?? '', pattern, shown)
}

test('markdown: links lead to files and headings that exist', () => {
  const target = { 'docs/b.md': '# B\n\n## The life of an entry' }
  const link = (to: string): Record<string, string> => ({ 'docs/a.md': `# A\n\n[b](${to})` })
  expect(markdown, { ...link('b.md'), ...target }, [])
  expect(markdown, { ...link('b.md#the-life-of-an-entry'), ...target }, [])
  expect(markdown, { ...link('b.md#the-death'), ...target }, [/a\.md:3 .*no such heading/])
  expect(markdown, { ...link('c.md'), ...target }, [/no such file/])
  expect(markdown, { ...link('../docs/'), ...target }, [])
  expect(markdown, link('https://example.org/c.md'), [])
  expect(markdown, { 'docs/a.md': '# A\n\n`[b](c.md)`\n\n```md\n[b](c.md)\n```' }, [])
})

test('markdown: headings begin with one of level 1 and skip none', () => {
  expect(markdown, { 'a.md': '## A' }, [/begin with one heading/])
  expect(markdown, { 'a.md': '# A\n\n# B' }, [/a\.md:3 a second heading/])
  expect(markdown, { 'a.md': '# A\n\n### B' }, [/a\.md:3 a level is skipped/])
  expect(markdown, { 'a.md': '# A\n\n```sh\n# B\n```' }, [])
})

test('markdown: code blocks end and say their language', () => {
  expect(markdown, { 'a.md': '# A\n\n```\nb\n```' }, [/a\.md:3 a code block without a language/])
  expect(markdown, { 'a.md': '# A\n\n```text\nb' }, [/a code block that never ends/])
  expect(markdown, { 'a.md': '# A\n\n```text\nb\n```text\n' }, [/never ends/])
})

test('rules: each rule is tested, each tested rule exists, none is defined twice', () => {
  const spec = { 'docs/spec/a.md': '# A\n\n**AB1.** One.\n\n**AB2.** Two.' }
  const path = 'packages/engine/src/a.test.ts'
  expect(specRules, { ...spec, [path]: "test('AB1 AB2: works', f)" }, [])
  expect(specRules, { ...spec, [path]: "test('AB1: works', f)" }, [/a\.md:5 AB2 is in no test/])
  const unknown = "test('AB1 AB2: works', f)\ntest('AB3: works', f)"
  expect(specRules, { ...spec, [path]: unknown }, [/a\.test\.ts:2 AB3 is no rule/])
  const twice = { 'docs/spec/b.md': '# B\n\n**AB1.** Again.' }
  expect(specRules, { ...spec, ...twice, [path]: "test('AB1 AB2: x', f)" }, [
    /AB1 is defined twice/,
  ])
})

test('rules: titles may be templates, suites and transcripts', () => {
  const spec = { 'docs/spec/a.md': '# A\n\n**AB1.** One.' }
  const template = ['test(`AB1: with $', '{x}`, f)'].join('')
  expect(specRules, { ...spec, 'packages/engine/src/testing/suite.ts': template }, [])
  expect(specRules, { ...spec, 'packages/cli/test/a.txt': '# AB1: prints\n$ longshore' }, [])
  expect(specRules, { ...spec, 'packages/engine/src/a.ts': "test('AB1: x', f)" }, [/no test/])
})
