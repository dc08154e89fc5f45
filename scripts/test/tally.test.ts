/** The test runner itself: what counts as passed, failed and skipped, on files made for it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

/** Runs `scripts/test.ts` in a tree that holds only these files. */
function runTests(
  files: Record<string, string>,
  env: Record<string, string> = {},
  args: string[] = [],
) {
  const root = mkdtempSync(join(tmpdir(), 'longshore-tests-'))
  try {
    cpSync(join(import.meta.dirname, '..', 'test.ts'), join(root, 'scripts', 'test.ts'))
    for (const name of ['worker.ts', 'tally.ts']) {
      cpSync(join(import.meta.dirname, name), join(root, 'scripts', 'test', name))
    }
    for (const [path, body] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), "import test from 'node:test'\n" + body)
    }
    const { NODE_TEST_CONTEXT: _, LONGSHORE_REQUIRE: __, ...inherited } = process.env
    const options = { cwd: root, env: { ...inherited, ...env }, encoding: 'utf8' } as const
    const script = join(root, 'scripts', 'test.ts')
    const { stdout, status } = spawnSync(process.execPath, [script, ...args], options)
    return { stdout, status, last: stdout.trimEnd().split('\n').at(-1) }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const PASS = "test('good', () => {})\n"
const FAIL = "test('bad', () => { throw new Error('the cause') })\n"

test('passes in shared and own processes are summed', () => {
  const pure = ['a', 'b', 'c'].map((name) => [`packages/engine/${name}.test.ts`, PASS])
  const files = { ...Object.fromEntries(pure), 'packages/client/d.test.ts': PASS + PASS }
  const { last, status } = runTests(files)
  assert.equal(last, '5 passed, 0 failed')
  assert.equal(status, 0)
})

test('a failure shows its place and its cause, and the exit code is 1', () => {
  for (const path of ['packages/engine/a.test.ts', 'packages/client/a.test.ts']) {
    const { last, status, stdout } = runTests({ [path]: PASS + FAIL })
    assert.equal(last, '1 passed, 1 failed')
    assert.equal(status, 1)
    assert.match(stdout, new RegExp(`FAILED ${path}:3 bad\n[^]*the cause`))
  }
})

test('a failing subtest counts once', () => {
  const body = `test('outer', async (t) => { await t.test('inner', () => { throw 1 }) })\n`
  const { last, stdout } = runTests({ 'packages/client/a.test.ts': body })
  assert.equal(last, '0 passed, 1 failed')
  assert.match(stdout, /outer > inner/)
})

test('a process that ends early, a file that does not load or has no test: each is a failure', () => {
  const early = "test('early', () => process.exit(0))\n"
  for (const body of [early, "throw new Error('does not load')\n", '']) {
    for (const path of ['packages/engine/a.test.ts', 'packages/client/a.test.ts']) {
      if (body === '' && path.includes('engine')) continue
      const { last, status } = runTests({ [path]: body })
      assert.match(last ?? '', /^0 passed, [1-9]\d* failed$/, body)
      assert.equal(status, 1)
    }
  }
})

test('a file whose test leaves something open still ends', () => {
  const body = "test('a', () => void setInterval(() => {}, 1000))\n"
  assert.equal(runTests({ 'packages/client/a.test.ts': body + PASS }).last, '2 passed, 0 failed')
})

test('a skip needs a reason, and LONGSHORE_REQUIRE can refuse the reason', () => {
  const files = { 'packages/client/a.test.ts': "test('a', { skip: 'needs Go' }, () => {})\n" }
  assert.equal(runTests(files).last, '0 passed, 0 failed, 1 skipped')
  assert.equal(runTests(files, { LONGSHORE_REQUIRE: 'strace' }).status, 0)
  assert.equal(runTests(files, { LONGSHORE_REQUIRE: 'strace,go' }).last, '0 passed, 1 failed')
  const mute = { 'packages/client/a.test.ts': "test('a', { skip: true }, () => {})\n" }
  assert.equal(runTests(mute).last, '0 passed, 1 failed')
})

test('arguments choose files, --name chooses titles', () => {
  const files = { 'packages/client/a.test.ts': FAIL, 'packages/client/b.test.ts': PASS + FAIL }
  assert.equal(runTests(files, {}, ['client/b']).last, '1 passed, 1 failed')
  assert.equal(runTests(files, {}, ['--name', 'good']).last, '1 passed, 0 failed')
  assert.equal(runTests(files, {}, ['nothing']).status, 2)
})

test('long tests run when they are named', () => {
  const files = { 'scripts/a.test.ts': PASS, 'scripts/b.long.test.ts': PASS + PASS }
  assert.equal(runTests(files, {}, []).last, '1 passed, 0 failed')
  assert.equal(runTests(files, {}, ['b.long']).last, '2 passed, 0 failed')
})

test('a test left to be done counts as failed', () => {
  const files = { 'packages/client/a.test.ts': "test('a', { todo: 'later' }, () => {})\n" }
  assert.equal(runTests(files).last, '0 passed, 1 failed')
})
