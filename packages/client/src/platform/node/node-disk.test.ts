import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DiskError, type DiskErrorCode } from '@longshore/engine'
import { NodeDisk, syncOffThread, writeFileDurably } from './node-disk.ts'
import { temporaryDirectory } from './testing-directory.ts'

function fails(code: DiskErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof DiskError && error.code === code
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function readAll(disk: NodeDisk, path: string): string {
  const file = disk.open(path, 'read')
  const into = new Uint8Array(file.byteLength())
  assert.equal(file.read(0, into), into.byteLength)
  file.close()
  return new TextDecoder().decode(into)
}

test('HM1: files are created once, written in chunks at positions, and read past their end', () => {
  const disk = new NodeDisk(temporaryDirectory())
  disk.makeDirectory('segments')
  const file = disk.open('segments/a', 'create')
  file.write(0, [bytes('hello '), bytes(''), bytes('world')])
  file.write(6, [bytes('W')])
  file.write(20, [])
  file.sync()
  assert.equal(file.byteLength(), 11)
  const into = new Uint8Array(20)
  assert.equal(file.read(6, into), 5)
  assert.equal(file.read(100, into), 0)
  file.truncate(5)
  file.close()
  file.close()
  assert.equal(readAll(disk, 'segments/a'), 'hello')
  assert.throws(() => disk.open('segments/a', 'create'), fails('EXISTS'))
  assert.throws(() => disk.open('segments/b', 'write'), fails('NOT_FOUND'))
  assert.throws(() => disk.open('segments', 'read'), fails('NOT_A_FILE'))
  const reader = disk.open('segments/a', 'read')
  assert.throws(() => reader.write(0, [bytes('x')]), fails('IO'))
  reader.close()
})

test('HM1: more chunks than one system call takes arrive in order', () => {
  const disk = new NodeDisk(temporaryDirectory())
  const file = disk.open('many', 'create')
  const chunks = Array.from({ length: 5000 }, (_, i) => bytes(`${i},`))
  file.write(3, chunks)
  file.close()
  const expected = Array.from({ length: 5000 }, (_, i) => `${i},`).join('')
  assert.equal(readAll(disk, 'many').slice(3), expected)
})

test('HM1: names are listed in the order of their bytes, renamed over others, and removed', () => {
  const disk = new NodeDisk(temporaryDirectory())
  for (const name of ['b', 'B', 'a', '10', '9']) disk.open(name, 'create').close()
  assert.deepEqual(disk.list(''), ['10', '9', 'B', 'a', 'b'])
  const file = disk.open('a', 'write')
  file.write(0, [bytes('new')])
  file.close()
  disk.rename('a', 'b')
  disk.syncDirectory('')
  assert.equal(readAll(disk, 'b'), 'new')
  assert.equal(disk.exists('a'), false)
  disk.remove('b')
  assert.equal(disk.exists('b'), false)
  assert.throws(() => disk.remove('b'), fails('NOT_FOUND'))
  assert.throws(() => disk.list('nowhere'), fails('NOT_FOUND'))
})

test('HM2: no path leaves the root, whoever computed it', () => {
  const root = temporaryDirectory()
  fs.writeFileSync(join(root, '..', 'outside'), 'x')
  const disk = new NodeDisk(root)
  const paths = [
    '../outside',
    '/etc/passwd',
    'a/../../outside',
    'a//b',
    './a',
    'a\0b',
    'a\\b',
    'a/',
  ]
  for (const path of paths) {
    assert.throws(() => disk.open(path, 'read'), fails('DENIED'), path)
    assert.throws(() => disk.exists(path), fails('DENIED'), path)
    assert.throws(() => disk.rename(path, 'x'), fails('DENIED'), path)
  }
  fs.symlinkSync('../outside', join(root, 'link'))
  assert.throws(() => disk.open('link', 'read'), fails('NOT_A_FILE'))
  assert.throws(() => disk.open('link', 'write'), fails('NOT_A_FILE'))
})

test('HM3: what we make is for one user', () => {
  const root = temporaryDirectory()
  const disk = new NodeDisk(root)
  disk.makeDirectory('d')
  disk.open('d/f', 'create').close()
  assert.equal(fs.statSync(join(root, 'd')).mode & 0o777, 0o700)
  assert.equal(fs.statSync(join(root, 'd/f')).mode & 0o777, 0o600)
  writeFileDurably(join(root, 'g'), 'one', 0o600)
  writeFileDurably(join(root, 'g'), 'two', 0o600)
  assert.equal(fs.readFileSync(join(root, 'g'), 'utf8'), 'two')
  assert.equal(fs.statSync(join(root, 'g')).mode & 0o777, 0o600)
  assert.deepEqual(fs.readdirSync(root).sort(), ['d', 'g'])
})

test('HM29: a sync off the thread reports what the disk says', async () => {
  const disk = new NodeDisk(temporaryDirectory())
  const file = disk.open('f', 'create')
  file.write(0, [bytes('x')])
  await syncOffThread(file)
  fs.closeSync(file.fd)
  // A device that cannot be synced stands for a disk that fails.
  file.fd = fs.openSync('/dev/null', 'r+')
  await assert.rejects(syncOffThread(file), fails('IO'))
  assert.throws(() => file.sync(), fails('IO'))
  file.close()
})

test('HM1: a full disk is FULL, and the part that was written before stays', (t) => {
  // /dev/full accepts no byte; a real file system shows the rest in the simulated disk's tests.
  if (!fs.existsSync('/dev/full')) return t.skip('needs /dev/full')
  const disk = new NodeDisk(temporaryDirectory())
  const file = disk.open('f', 'create')
  const fd = fs.openSync('/dev/full', 'r+')
  fs.closeSync(file.fd)
  file.fd = fd
  assert.throws(() => file.write(0, [bytes('x')]), fails('FULL'))
  assert.throws(() => file.write(0, [bytes('x'), bytes('y')]), fails('FULL'))
  file.close()
})
