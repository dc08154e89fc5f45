/** Each rule for code finds a planted violation, and leaves the right form alone. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bannedNames } from './banned-names.ts'
import { comments } from './comments.ts'
import { deadCode } from './dead-code.ts'
import { imports } from './imports.ts'
import { machine } from './machine.ts'
import { sizes } from './sizes.ts'
import { syntax } from './syntax.ts'
import { tests } from './tests.ts'
import { type Rule, Tree } from './tree.ts'
import { words } from './words.ts'

const MANIFESTS = {
  'package.json': JSON.stringify({ devDependencies: { rolldown: '1' } }),
  'packages/capsule/package.json': JSON.stringify({
    exports: { '.': './src/index.ts', './testing': './src/testing/index.ts' },
    imports: { '#crypto': './src/platform/node/crypto.ts' },
    dependencies: { cborg: '1', 'sodium-native': '1' },
  }),
  'packages/engine/package.json': JSON.stringify({
    exports: { '.': './src/index.ts' },
    dependencies: { '@longshore/capsule': '1' },
  }),
  'packages/client/package.json': JSON.stringify({
    exports: { '.': './src/index.ts', './node': './src/platform/node/index.ts' },
    dependencies: { '@longshore/capsule': '1', '@longshore/engine': '1', lmdb: '1' },
  }),
  'packages/cli/package.json': JSON.stringify({
    dependencies: { '@longshore/client': '1' },
  }),
}

const CORE = 'packages/engine/src/a.ts'

/** `path:line message` of every problem that the rule finds in these files. */
function find(rule: Rule, files: Record<string, string>): string[] {
  const tree = new Tree(new Map(Object.entries({ ...MANIFESTS, ...files })))
  return rule
    .check(tree)
    .filter(({ path }) => path in files)
    .map(({ path, line, message }) => `${path}:${line} ${message}`)
}

function expect(rule: Rule, files: Record<string, string>, expected: readonly RegExp[]): void {
  const found = find(rule, files)
  const shown = found.join('\n')
  assert.equal(found.length, expected.length, shown)
  for (const [at, pattern] of expected.entries()) assert.match(found[at] ?? '', pattern, shown)
}

test('syntax: a file that does not parse is a problem', () => {
  expect(syntax, { 'scripts/a.ts': 'const = 1' }, [/a\.ts:1 /])
  expect(syntax, { 'scripts/a.ts': 'const a: number = 1' }, [])
})

test('imports: a room imports only rooms below it', () => {
  const path = 'packages/capsule/src/a.ts'
  expect(imports, { [path]: "import { x } from '@longshore/engine'" }, [/may not import engine/])
  const good = "import type { Hash } from '@longshore/capsule'"
  expect(imports, { 'packages/engine/src/a.ts': good }, [])
})

test('imports: re-exports, type imports and dynamic imports count', () => {
  const from = (code: string): Record<string, string> => ({ 'packages/capsule/src/a.ts': code })
  expect(imports, from("export { x } from '@longshore/engine'"), [/engine/])
  expect(imports, from("export * as x from '@longshore/engine'"), [/list the names/])
  expect(imports, from("import type { x } from '@longshore/engine'"), [/engine/])
  expect(imports, from("const x = import('@longshore/engine')"), [/engine/])
})

test('imports: a room lists what it exports', () => {
  const target = { 'packages/engine/src/b.ts': '' }
  expect(imports, { [CORE]: "export * from './b.ts'", ...target }, [/list the names/])
  expect(imports, { [CORE]: "export { b } from './b.ts'", ...target }, [])
})

test('imports: another package is reached through its exports only', () => {
  const path = 'packages/engine/src/a.ts'
  const deep = "import { x } from '@longshore/capsule/src/tree/hash.ts'"
  expect(imports, { [path]: deep }, [/is not exported/])
  const relative = "import { x } from '../../capsule/src/index.ts'"
  const target = { 'packages/capsule/src/index.ts': '' }
  expect(imports, { [path]: relative, ...target }, [/leaves packages\/engine\//])
})

test('imports: only declared dependencies, in the zones that may use them', () => {
  const core = 'packages/capsule/src/a.ts'
  const platform = 'packages/capsule/src/platform/node/a.ts'
  expect(imports, { [core]: "import x from 'left-pad'" }, [/not declared in "dependencies"/])
  expect(imports, { [core]: "import x from 'cborg'" }, [])
  expect(imports, { [core]: "import x from 'sodium-native'" }, [/only in its platform room/])
  expect(imports, { [platform]: "import x from 'sodium-native'" }, [])
  expect(imports, { 'scripts/a.ts': "import x from 'left-pad'" }, [/not declared/])
  expect(imports, { 'scripts/a.ts': "import x from 'rolldown'" }, [])
})

test('imports: a sibling must be declared, although npm links it', () => {
  const path = 'packages/cli/src/a.ts'
  expect(imports, { [path]: "import { x } from '@longshore/capsule'" }, [/not declared/])
})

test('imports: built-in modules belong to platform rooms, tests and the layers above 3', () => {
  const code = "import { readFileSync } from 'node:fs'"
  expect(imports, { 'packages/engine/src/a.ts': code }, [/layer 1 takes what it needs/])
  expect(imports, { 'packages/client/src/platform/node/a.ts': code }, [])
  expect(imports, { 'packages/engine/src/a.test.ts': code }, [])
  expect(imports, { 'packages/cli/src/a.ts': code }, [])
})

test('imports: a platform room is used by platform rooms and the layers above 3', () => {
  const code = "import { openHome } from '@longshore/client/node'"
  expect(imports, { 'packages/cli/src/a.ts': code }, [])
  const own = { 'packages/client/src/platform/node/home.ts': '' }
  const inward = "import { openHome } from './platform/node/home.ts'"
  expect(imports, { 'packages/client/src/a.ts': inward, ...own }, [/only platform rooms/])
})

test('imports: testing code is for tests', () => {
  const code = "import { suite } from '@longshore/capsule/testing'"
  expect(imports, { 'packages/engine/src/a.ts': code }, [/only tests use testing code/])
  expect(imports, { 'packages/engine/src/a.test.ts': code }, [])
  const inward = "import { suite } from './testing/suite.ts'"
  const suite = { 'packages/engine/src/testing/suite.ts': '' }
  expect(imports, { 'packages/engine/src/a.ts': inward, ...suite }, [/only tests/])
})

test('imports: conditional imports are declared in package.json', () => {
  expect(imports, { 'packages/capsule/src/a.ts': "import x from '#crypto'" }, [])
  expect(imports, { 'packages/capsule/src/a.ts': "import x from '#clock'" }, [/not in "imports"/])
})

test('imports: a relative import names a file that exists', () => {
  expect(imports, { 'scripts/a.ts': "import x from './b.ts'" }, [/no such file/])
  expect(imports, { 'scripts/a.ts': "import x from './b'", 'scripts/b.ts': '' }, [/no such file/])
})

test('imports: independent eyes import nothing of ours', () => {
  const code = "import { hashLeaf } from '@longshore/capsule'"
  expect(imports, { 'vectors/eyes/a.ts': code }, [/is independent/])
  expect(imports, { 'vectors/make/a.mjs': "import x from 'left-pad'" }, [/is independent/])
  expect(imports, { 'vectors/make/a.mjs': "import x from 'cborg'" }, [])
  expect(imports, { 'vectors/a.test.ts': code }, [])
})

test('imports: only listed tests look inside a package', () => {
  const target = { 'packages/capsule/src/platform/node/crypto.ts': '' }
  const code = "import x from '../packages/capsule/src/platform/node/crypto.ts'"
  expect(imports, { 'vectors/a.test.ts': code, ...target }, [])
  expect(imports, { 'vectors/a.ts': code, ...target }, [/leaves vectors/])
})

test('imports: a file in no room and a dependency that nothing imports are problems', () => {
  expect(imports, { 'packages/shed/src/a.ts': '' }, [/no room/])
  const manifest = { 'packages/engine/package.json': '{"dependencies":{"lmdb":"1"}}' }
  expect(imports, manifest, [/lmdb is never imported/])
})

function expectName(path: string, code: string, expected: readonly RegExp[]): void {
  expect(bannedNames, { [path]: code }, expected)
}

test('names: clock, randomness, timers, network and system are arguments below layer 4', () => {
  expectName(CORE, 'const a = Date.now()', [/Date: take the time/])
  expectName(CORE, 'const a = new Date(0)', [/Date/])
  expectName(CORE, 'const a = Math.random()', [/Math\.random: take randomness/])
  expectName(CORE, "const a = Math['random']()", [/Math\.random/])
  expectName(CORE, 'setTimeout(a, 1)', [/setTimeout: timers belong/])
  expectName(CORE, 'fetch(a)', [/fetch: the network/])
  expectName(CORE, 'crypto.getRandomValues(a)', [/crypto/])
  expectName(CORE, 'const a = Buffer.from("")', [/Buffer: use Uint8Array/])
  expectName(CORE, 'const a = { Buffer }', [/Buffer/])
  expectName(CORE, 'let a: Buffer', [/Buffer/])
  expectName(CORE, 'globalThis.a = process.env', [/globalThis/, /process/])
})

test('names: layers 0 and 1 are synchronous and exact; layer 2 may wait', () => {
  const code = 'export async function a(): Promise<void> { await b() }'
  expectName(CORE, code, [/async/, /Promise/, /async/])
  expectName('packages/client/src/a.ts', code, [])
  expectName(CORE, 'const a = async () => 1', [/async/])
  expectName(CORE, 'const a = Math.pow(2, 3) + Math.floor(1)', [/Math\.pow: results differ/])
  expectName(CORE, "const a = b.localeCompare('')", [/localeCompare/])
  expectName(CORE, 'const a = new WeakRef(b)', [/WeakRef/])
})

test('names: properties, own declarations, platform rooms, tests and upper layers are free', () => {
  expectName(CORE, 'const a = b.process + c.Date; interface D { fetch: string }', [])
  expectName(CORE, 'export function f(process: number): number { return process }', [])
  expectName(CORE, "import { Date } from './date.ts'; const a = Date", [])
  for (const path of ['client/src/platform/node/a.ts', 'engine/src/a.test.ts', 'cli/src/a.ts']) {
    expectName(`packages/${path}`, 'const a = Date.now()', [])
  }
})

test('sizes: files, functions and lines have a limit', () => {
  const lines = (count: number): string => 'a()\n'.repeat(count)
  expect(sizes, { 'scripts/a.ts': lines(501) }, [/501 lines/])
  expect(sizes, { 'scripts/a.ts': lines(500) }, [])
  const functionOf = (count: number): string => `function f() {\n${lines(count)}}\n`
  expect(sizes, { 'scripts/a.ts': functionOf(69) }, [/a function of 71 lines/])
  expect(sizes, { 'scripts/a.ts': functionOf(68) }, [])
  expect(sizes, { 'scripts/a.ts': `describe(() => {\n${functionOf(60)}${functionOf(60)}})` }, [])
  expect(sizes, { 'scripts/a.ts': `a(${'b, '.repeat(40)})` }, [/characters in one line/])
  expect(sizes, { 'scripts/a.ts': `const hash = [${'b, '.repeat(20)}, '${'0f'.repeat(32)}']` }, [])
  expect(sizes, { 'bin/longshore': 'echo ' + 'a '.repeat(60) }, [/characters/])
})

test('dead: a file that nothing reaches, and an export that nothing uses', () => {
  expect(deadCode, { 'scripts/a.ts': '' }, [/nothing imports this file/])
  expect(deadCode, { 'scripts/a.ts': '', 'README.md': 'run scripts/a.ts' }, [])
  expect(deadCode, { 'packages/capsule/src/index.ts': 'export const a = 1' }, [])
  const user = { 'scripts/b.test.ts': "import { used } from './a.ts'" }
  const code = 'export const used = 1\nexport const unused = 2\nexport type T = 1'
  expect(deadCode, { 'scripts/a.ts': code, ...user }, [/a\.ts:2 .* the export unused/])
  const all = { 'scripts/b.test.ts': "import * as a from './a.ts'" }
  expect(deadCode, { 'scripts/a.ts': code, ...all }, [])
})

test('words: empty names, leftovers and words that have a better one', () => {
  expect(words, { 'scripts/utils.ts': '' }, [/"utils" says nothing/])
  expect(words, { 'scripts/helpers/a.ts': '' }, [/"helpers" says nothing/])
  expect(words, { 'scripts/a.ts': `\n// ${'TO' + 'DO'} later` }, [/a\.ts:2 /])
  expect(words, { 'a.md': `${'FIX' + 'ME'}` }, [/a\.md:1 /])
  expect(words, { [CORE]: 'const capsuleMetadata = 1' }, [/capsuleMetadata: say manifest/])
  expect(words, { [CORE]: 'function detectFork() {}' }, [/detectFork: say branch/])
  expect(words, { [CORE]: 'const branch = child.fork()' }, [])
})

test('comments: modules introduce themselves; no banners, no code', () => {
  const header = '/** What this is. */\n'
  expect(comments, { [CORE]: 'const a = 1' }, [/begin with a doc comment/])
  expect(comments, { [CORE]: `${header}const a = 1 // one, as in F8` }, [])
  expect(comments, { [CORE]: `${header}// ${'-'.repeat(20)} part two` }, [/a section banner/])
  expect(comments, { [CORE]: `${header}// const a = open(path)` }, [/code in a comment/])
  expect(comments, { [CORE]: `${header}// if the index is lost, the journal has it all` }, [])
})

test('tests: none singled out, none skipped without a reason, none sleeps', () => {
  const path = 'packages/engine/src/a.test.ts'
  expect(tests, { [path]: "test.only('a', f)" }, [/hides all other tests/])
  expect(tests, { [path]: "test.skip('a', f)" }, [/give \{ skip: reason \}/])
  expect(tests, { [path]: "test('a', { skip: true }, f)" }, [/give a reason/])
  expect(tests, { [path]: "test('a', { skip: needs('go') }, f)" }, [])
  expect(tests, { [path]: 'setTimeout(done, 100)' }, [/wait for what happens/])
  expect(tests, { [path]: "import { setTimeout } from 'node:timers/promises'" }, [/wait for/])
})

test('machine: no paths or registries of one machine, a lock file for all', () => {
  expect(machine, { 'a.md': `see "${'/wor' + 'k/'}main"` }, [/a path of one machine/])
  expect(machine, { 'scripts/a.ts': `// ${'https://registry.' + 'npmjs.org'}` }, [/registry/])
  expect(machine, { 'a.md': `see homework/notes and ./${'wor' + 'k/'}x` }, [])
  const locked = { 'node_modules/a': { resolved: 'https://example.org/a.tgz' } }
  const lock = JSON.stringify({ packages: locked })
  expect(machine, { 'package-lock.json': lock }, [/records the address/])
  const tool = { version: '1', optionalDependencies: { 'tool-darwin-arm64': '1.0.0' } }
  const incomplete = JSON.stringify({ packages: { 'node_modules/tool': tool } })
  expect(machine, { 'package-lock.json': incomplete }, [/tool-darwin-arm64 is missing/])
})
