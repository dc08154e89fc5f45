/**
 * Debian's x/mod/sumdb, through eyes/go/main.go, on exports and receipts of the real command.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  CommandHome,
  type ExportedCapsule,
  exportCapsule,
  makeReceipt,
} from './exported-capsule.ts'
import { isMissing, type Outcome, runTool } from './foreign-tool.ts'

const GO_ENVIRONMENT = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }
const SUMDB = 'golang.org/x/mod/sumdb/tlog'

const skip = isMissing('go', 'env', [
  ...Object.entries(GO_ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
  ...['go', 'list', SUMDB],
])

const folder = mkdtempSync(join(tmpdir(), 'longshore-go-'))
after(() => rmSync(folder, { recursive: true }))

/** Builds the program once; Go keeps its build cache in the temporary folder. */
function buildProgram(): string {
  const program = join(folder, 'eyes')
  const source = join(import.meta.dirname, 'eyes/go/main.go')
  const env = { ...GO_ENVIRONMENT, GOCACHE: join(tmpdir(), 'longshore-go-cache') }
  const { status, output } = runTool('go', ['build', '-o', program, source], { env })
  assert.equal(status, 0, output)
  return program
}

function check(
  program: string,
  kind: 'directory' | 'receipt',
  path: string,
  vkey: string,
): Outcome {
  return runTool(program, [kind, path, vkey])
}

/** Changes to an export that a Go program which knows tiles and notes must notice. */
function changes(capsule: ExportedCapsule): [what: string, path: string, change: Change][] {
  const { size } = capsule
  const partial = size % 256
  return [
    ['a bit of the root', 'checkpoint', flip(-60)],
    ['a bit of the signature', 'checkpoint', flip(-8)],
    ['another origin', 'checkpoint', replace('longshore/b', 'longshore/c')],
    ['another size', 'checkpoint', replace(`\n${size}\n`, `\n${size - 1}\n`)],
    ['a bit of a leaf hash', 'tile/0/000', flip(77)],
    ['a bit of the last leaf hash', `tile/0/001.p/${partial}`, flip(-1)],
    ['a bit of the hash above', 'tile/1/000.p/1', flip(0)],
    ['a bit of an entry', 'tile/entries/000', flip(5000)],
    ['a bit of a length', 'tile/entries/000', flip(1)],
    ['the last byte of the last bundle', `tile/entries/001.p/${partial}`, cut],
    ['a byte behind a tile', 'tile/0/000', grow],
  ]
}

type Change = (bytes: Buffer) => Buffer

function flip(at: number): Change {
  return (bytes) => {
    const copy = Buffer.from(bytes)
    const place = at < 0 ? copy.length + at : at
    copy[place]! ^= 1
    return copy
  }
}

function replace(from: string, to: string): Change {
  return (bytes) => {
    const text = bytes.toString('utf8')
    assert.ok(text.includes(from))
    return Buffer.from(text.replaceAll(from, to))
  }
}

const cut: Change = (bytes) => bytes.subarray(0, -1)
const grow: Change = (bytes) => Buffer.concat([bytes, Buffer.alloc(32)])

test('EX1 TR6 TR7 TR11 CP2 CP4: Go reads an export and makes proofs from it', { skip }, () => {
  using home = new CommandHome()
  const program = buildProgram()
  const capsule = exportCapsule(home, 300)
  const { directory, vkey, size } = capsule
  const good = check(program, 'directory', directory, vkey)
  assert.equal(good.status, 0, good.output)
  assert.match(good.output, new RegExp(`^ok size=${size} tiles=3 proofs=86$`, 'm'))
  const otherKey = vkey.replace(/.{4}$/, 'AAA=')
  assert.equal(check(program, 'directory', directory, otherKey).status, 1)
  for (const [what, path, change] of changes(capsule)) {
    const copy = join(folder, 'copy')
    cpSync(directory, copy, { recursive: true })
    const file = join(copy, path)
    writeFileSync(file, change(readFileSync(file)))
    const { status, output } = check(program, 'directory', copy, vkey)
    assert.equal(status, 1, `${what} of ${path}: ${output}`)
    rmSync(copy, { recursive: true })
  }
})

test('RC1 PR1: Go verifies the note and the path of a receipt', { skip }, () => {
  using home = new CommandHome()
  const program = buildProgram()
  const capsule = exportCapsule(home, 20)
  const { vkey, size } = capsule
  for (const index of [0, 7, 20]) {
    const receipt = Buffer.from(makeReceipt(capsule, index))
    const file = join(folder, 'receipt')
    const verdict = (bytes: Buffer): Outcome => {
      writeFileSync(file, bytes)
      return check(program, 'receipt', file, vkey)
    }
    const good = verdict(receipt)
    assert.equal(good.output, `ok size=${size} index=${index}\n`)
    const text = receipt.toString('utf8')
    const [line = ''] = /^index \d+\n.*\n/m.exec(text) ?? []
    for (const bad of [
      text.replace(`index ${index}\n`, `index ${index + 1}\n`),
      text.replace(line, `index ${index}\n`),
      text.replace(`\n${size}\n`, `\n${size + 1}\n`),
      text.replace('longshore/b', 'longshore/c'),
      text.replace('extra ', 'extra AAAA'),
    ]) {
      assert.notEqual(bad, text)
      assert.equal(verdict(Buffer.from(bad)).status, 1)
    }
  }
})
