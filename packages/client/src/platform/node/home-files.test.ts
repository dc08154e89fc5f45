import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { asCapsuleName, createSigner, formatName, MAIN_BRANCH } from '@longshore/capsule'
import { AnchorDirectory } from './anchor-directory.ts'
import { HashSet } from './hash-set.ts'
import { readHolderFile, writeHolderFile } from './holder-file.ts'
import { readConfig, writeConfig } from './home-config.ts'
import { createHomeDirectories, homeExists, homePaths, stateDirectory } from './home-layout.ts'
import { KeyStore } from './key-store.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { WriterLock } from './writer-lock.ts'

const NAME = asCapsuleName(new Uint8Array(32).fill(5))
const SEED = new Uint8Array(32).fill(9)

test('HM3: a home is made for one user, and nothing else is taken for one', () => {
  const root = temporaryDirectory()
  const paths = homePaths(join(root, 'a/b'))
  assert.equal(homeExists(paths), false)
  createHomeDirectories(paths)
  createHomeDirectories(paths)
  assert.equal(fs.statSync(paths.home).mode & 0o777, 0o700)
  assert.equal(fs.statSync(paths.keys).mode & 0o777, 0o700)
  assert.equal(homeExists(paths), false, 'a home has a config')
  writeConfig(paths.config, { id: new Uint8Array(16), identity: undefined })
  assert.equal(homeExists(paths), true)
  fs.writeFileSync(join(paths.keys, 'any.key'), '')
  assert.equal(homeExists(paths), true)
  fs.rmSync(paths.config)
  assert.throws(() => homeExists(paths), { code: 'HOME_UNREADABLE' }, 'no other home in its place')

  fs.writeFileSync(join(root, 'file'), 'x')
  assert.throws(() => homeExists(homePaths(join(root, 'file'))), { code: 'HOME_UNREADABLE' })
  assert.throws(() => createHomeDirectories(homePaths(join(root, 'file/home'))), {
    code: 'HOME_UNREADABLE',
  })
  assert.throws(() => homeExists(homePaths(root)), { code: 'HOME_UNREADABLE' })
})

test('HM3 HM14: the environment names home and state, and nonsense in it is ignored', () => {
  const names = ['LONGSHORE_HOME', 'XDG_STATE_HOME']
  const before = names.map((name) => process.env[name])
  try {
    process.env['LONGSHORE_HOME'] = '/somewhere/else'
    process.env['XDG_STATE_HOME'] = '/somewhere/state'
    assert.equal(homePaths().home, '/somewhere/else')
    assert.equal(homePaths('/chosen').home, '/chosen')
    assert.equal(stateDirectory(), '/somewhere/state/longshore')
    process.env['XDG_STATE_HOME'] = 'relative'
    assert.match(stateDirectory(), /\/\.local\/state\/longshore$/)
    process.env['LONGSHORE_HOME'] = ''
    assert.match(homePaths().home, /\/\.longshore$/)
  } finally {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name]
      else process.env[name] = before[i]
    }
  }
})

test('HM6: the config is kept whole, and a damaged or unknown one is refused', () => {
  const path = join(temporaryDirectory(), 'config.json')
  assert.equal(readConfig(path), undefined)
  const config = { id: new Uint8Array(16).fill(3), identity: NAME }
  writeConfig(path, config)
  assert.deepEqual(readConfig(path), config)
  const good = fs.readFileSync(path, 'utf8')
  const damaged = [
    '',
    '{}',
    'null',
    good.replace('"version":1', '"version":2'),
    good.replace('0303', '03'),
    good.replace('bafy', 'BAFY'),
    good.slice(0, -5),
    'x'.repeat(70_000),
  ]
  for (const text of damaged) {
    fs.writeFileSync(path, text)
    assert.throws(() => readConfig(path), { code: 'HOME_UNREADABLE' }, text.slice(0, 60))
  }
  fs.rmSync(path)
  fs.mkdirSync(path)
  assert.throws(() => readConfig(path), { code: 'HOME_UNREADABLE' })
})

test('HM7: a key is one line of hex for one user, and is never replaced', () => {
  const directory = temporaryDirectory()
  const keys = new KeyStore(directory)
  const path = join(directory, `${formatName(NAME)}.key`)
  assert.equal(keys.has(NAME), false)
  assert.throws(() => keys.signer(NAME), { code: 'KEY_MISSING' })
  keys.add(NAME, { seed: SEED })
  assert.equal(fs.readFileSync(path, 'latin1'), `${'09'.repeat(32)}\n`)
  assert.equal(fs.statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(keys.signer(NAME).publicKey, createSigner(SEED).publicKey)
  assert.throws(() => keys.add(NAME, { seed: SEED }), { code: 'FILE_UNWRITABLE' })
})

test('HM8: a key file that holds no key is KEY_UNREADABLE, and never half a key', () => {
  const directory = temporaryDirectory()
  const keys = new KeyStore(directory)
  const path = join(directory, `${formatName(NAME)}.key`)
  const hex = '09'.repeat(32)
  for (const text of [
    '',
    hex,
    `${hex}\n\n`,
    `${hex.slice(1)}\n`,
    `${hex.slice(0, 63)}A\n`,
    `${hex}\r\n`,
  ]) {
    fs.writeFileSync(path, text)
    assert.throws(() => keys.signer(NAME), { code: 'KEY_UNREADABLE' }, JSON.stringify(text))
  }
  fs.rmSync(path)
  fs.mkdirSync(path)
  assert.throws(() => keys.signer(NAME), { code: 'KEY_UNREADABLE' })
})

test('HM9: holder.json is only a hint, so nonsense in it is no error', () => {
  const path = join(temporaryDirectory(), 'holder.json')
  assert.equal(readHolderFile(path), undefined)
  writeHolderFile(path, { pid: 5, command: 'longshore append', socket: '/tmp/s' })
  assert.deepEqual(readHolderFile(path), { pid: 5, command: 'longshore append', socket: '/tmp/s' })
  for (const text of ['', '{', 'null', '[]', '{"pid":"5"}', '{"pid":5,"command":"x"}']) {
    fs.writeFileSync(path, text)
    assert.equal(readHolderFile(path), undefined, text)
  }
})

test('HM14: an anchor survives its directory object, and a new one is there at once', () => {
  const path = join(temporaryDirectory(), 'state/anchors')
  const first = new AnchorDirectory(path)
  const slot = first.slot(NAME, MAIN_BRANCH)
  assert.equal(slot.read(), undefined)
  slot.write(new Uint8Array(128).fill(1))
  assert.deepEqual(
    new AnchorDirectory(path).slot(NAME, MAIN_BRANCH).read(),
    new Uint8Array(128).fill(1),
  )
  slot.write(new Uint8Array(128).fill(2))
  slot.sync()
  first.close()
  slot.close()
  assert.deepEqual(first.slot(NAME, MAIN_BRANCH).read(), new Uint8Array(128).fill(2))
  assert.deepEqual(fs.readdirSync(path), [formatName(NAME)])
  const other = first.slot(NAME, new Uint8Array(16) as typeof MAIN_BRANCH)
  assert.equal(other.read(), undefined)
})

test('HM15: an anchor that cannot be written is ANCHOR_UNWRITABLE', () => {
  const root = temporaryDirectory()
  fs.writeFileSync(join(root, 'file'), 'x')
  const blocked = new AnchorDirectory(join(root, 'file/anchors')).slot(NAME, MAIN_BRANCH)
  assert.throws(() => blocked.write(new Uint8Array(128)), { code: 'ANCHOR_UNWRITABLE' })
  const directory = new AnchorDirectory(join(root, 'anchors'))
  fs.mkdirSync(join(root, 'anchors', formatName(NAME)), { recursive: true })
  const taken = directory.slot(NAME, MAIN_BRANCH)
  assert.throws(() => taken.read(), { code: 'ANCHOR_UNWRITABLE' })
  assert.throws(() => taken.write(new Uint8Array(128)), { code: 'ANCHOR_UNWRITABLE' })
})

test('HM16: two copies of one home cannot write at the same time; two homes can', () => {
  const state = temporaryDirectory()
  const [id, otherId] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
  const original = new WriterLock(state, id)
  original.require()
  original.require()
  assert.throws(() => new WriterLock(state, id).require(), { code: 'LOCKED' })
  const other = new WriterLock(state, otherId)
  other.require()
  original.release()
  const copy = new WriterLock(state, id)
  copy.require()
  copy.release()
  other.release()
})

test('EX7: a set of hashes counts each once, also when many look alike', () => {
  const set = new HashSet()
  const hash = (n: number, position: number): Uint8Array => {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setUint32(position, n)
    return bytes
  }
  for (let n = 1; n <= 3000; n++) {
    // All of them agree in the four bytes that say where they go, or in all but those.
    set.add(hash(n, 8))
    set.add(hash(n, 0))
    set.add(hash(n, 8))
  }
  assert.equal(set.count, 6000)
})
