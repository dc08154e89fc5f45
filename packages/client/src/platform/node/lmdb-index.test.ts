import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LmdbIndex } from './lmdb-index.ts'
import { temporaryDirectory } from './testing-directory.ts'

const BOOT = 'boot-1'

function key(n: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(n))
  return bytes
}

function fill(directory: string, count: number, bootId = BOOT): void {
  const index = LmdbIndex.openForWriting({ directory, bootId })
  for (let at = 0; at < count; at += 100) {
    const batch = Array.from({ length: 100 }, (_, i) => ({
      key: key(at + i),
      value: new Uint8Array(300).fill(at + i),
    }))
    index.write(batch)
  }
  index.close()
}

function countKeys(index: LmdbIndex): number {
  return [...index.range(key(0), key(1e9))].length
}

test('HM10: what was written is there again, in byte order, and values are the caller’s own', () => {
  const directory = temporaryDirectory()
  fill(directory, 500)
  const index = LmdbIndex.openForWriting({ directory, bootId: BOOT })
  assert.equal(countKeys(index), 500)
  const value = index.get(key(7))
  assert.deepEqual(value, new Uint8Array(300).fill(7))
  index.write([
    { key: key(7), value: undefined },
    { key: key(600), value: new Uint8Array([1]) },
  ])
  assert.deepEqual(value, new Uint8Array(300).fill(7))
  assert.equal(index.get(key(7)), undefined)
  const keys = [...index.range(key(498), key(700))].map(([k]) => k)
  assert.deepEqual(keys, [key(498), key(499), key(600)])
  index.clear()
  assert.equal(countKeys(index), 0)
  index.close()
})

test('HM10: the lock file that LMDB maps is on the disk before it is mapped', () => {
  const directory = temporaryDirectory()
  fill(directory, 100)
  const { size, blocks } = fs.statSync(join(directory, 'index.mdb-lock'))
  assert.ok(blocks * 512 >= size, `${blocks * 512} of ${size} bytes`)
})

test('HM10: without room for a batch it is refused with our code, and nothing is printed', () => {
  for (const [valueBytes, perBatch] of [
    [40, 1],
    [40, 300],
    [1049, 3],
    [8192, 7],
  ] as const) {
    const directory = temporaryDirectory()
    const script = `
      import { LmdbIndex } from ${JSON.stringify(new URL('lmdb-index.ts', import.meta.url).href)}
      const index = LmdbIndex.openForWriting(${JSON.stringify({ directory, bootId: BOOT })})
      let count = 0
      try {
        for (; count < 100_000; count += ${perBatch}) {
          index.write(Array.from({ length: ${perBatch} }, (_, at) => {
            const key = new Uint8Array(8)
            // Spread over all leaves.
            new DataView(key.buffer).setUint32(4, (count + at) * 7919 % 1_000_003)
            return { key, value: new Uint8Array(${valueBytes}) }
          }))
        }
      } catch (error) {
        console.log(error.code, count, index.get(new Uint8Array(8)).length)
      }
      index.close()`
    // In blocks of 1024 bytes: what a file may hold, as if the disk were full behind it.
    const command = 'ulimit -f 600; exec "$0" --input-type=module -e "$1"'
    const run = spawnSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' })
    assert.equal(run.stderr, '')
    const [code, count = '', length] = run.stdout.trim().split(' ')
    assert.deepEqual([code, length], ['STORE_FULL', `${valueBytes}`])
    const index = LmdbIndex.openForReading({ directory, bootId: BOOT })
    assert.equal(index && countKeys(index), Number(count))
    index?.close()
    const { size } = fs.statSync(join(directory, 'index.mdb'))
    assert.ok(size > 200_000, `most of the room was used: ${size}`)
  }
})

/** Every way in which an index file can stop being the one that was written. */
const DAMAGES: Record<string, (directory: string) => void> = {
  deleted: (d) => fs.rmSync(join(d, 'index.mdb')),
  'guard deleted': (d) => fs.rmSync(join(d, 'guard')),
  'guard of another length': (d) => fs.appendFileSync(join(d, 'guard'), 'x'),
  'truncated to nothing': (d) => fs.truncateSync(join(d, 'index.mdb'), 0),
  'truncated in a page': (d) => fs.truncateSync(join(d, 'index.mdb'), 50_001),
  'truncated by one page': (d) => {
    fs.truncateSync(join(d, 'index.mdb'), fs.statSync(join(d, 'index.mdb')).size - 4096)
  },
  'a directory in its place': (d) => {
    fs.rmSync(join(d, 'index.mdb'))
    fs.mkdirSync(join(d, 'index.mdb'))
  },
  'a symbolic link in its place': (d) => {
    fs.renameSync(join(d, 'index.mdb'), join(d, 'elsewhere'))
    fs.symlinkSync('elsewhere', join(d, 'index.mdb'))
  },
  'not LMDB at all': (d) => fs.writeFileSync(join(d, 'index.mdb'), 'hello'.repeat(9000)),
  'every 1000th byte changed': (d) => {
    const bytes = fs.readFileSync(join(d, 'index.mdb'))
    for (let i = 0; i < bytes.length; i += 1000) bytes[i]! ^= 0x40
    fs.writeFileSync(join(d, 'index.mdb'), bytes)
  },
}

for (const [damage, apply] of Object.entries(DAMAGES)) {
  test(`HM10 HM11: an index that was ${damage} is never opened; a writer starts a new one`, () => {
    const directory = temporaryDirectory()
    fill(directory, 300)
    apply(directory)
    assert.equal(LmdbIndex.openForReading({ directory, bootId: BOOT }), undefined)
    const index = LmdbIndex.openForWriting({ directory, bootId: BOOT })
    assert.equal(countKeys(index), 0)
    index.write([{ key: key(1), value: new Uint8Array([1]) }])
    index.close()
    const again = LmdbIndex.openForReading({ directory, bootId: BOOT })
    assert.equal(again && countKeys(again), 1)
    again?.close()
  })
}

test('HM10: an older copy put back is not opened, nor is one copied with its guard', () => {
  const directory = temporaryDirectory()
  fill(directory, 300)
  const copy = temporaryDirectory()
  fs.cpSync(directory, copy, { recursive: true, preserveTimestamps: true })
  fill(directory, 300)
  fs.copyFileSync(join(copy, 'index.mdb'), join(directory, 'index.mdb'))
  assert.equal(LmdbIndex.openForReading({ directory, bootId: BOOT }), undefined)
  // Another inode: a copy of a directory in use may be torn.
  assert.equal(LmdbIndex.openForReading({ directory: copy, bootId: BOOT }), undefined)
})

test('HM12: after a restart of the system only a cleanly closed index is used', () => {
  const directory = temporaryDirectory()
  fill(directory, 100)
  const clean = LmdbIndex.openForWriting({ directory, bootId: 'boot-2' })
  assert.equal(countKeys(clean), 100)
  clean.close()
  killWhileOpen(directory, 'boot-2')
  const sameBoot = LmdbIndex.openForReading({ directory, bootId: 'boot-2' })
  assert.equal(sameBoot && countKeys(sameBoot), 101)
  sameBoot?.close()
  const otherBoot = LmdbIndex.openForWriting({ directory, bootId: 'boot-3' })
  assert.equal(countKeys(otherBoot), 0)
  otherBoot.close()
})

/** Another process opens the index, writes, and is killed without closing it. */
function killWhileOpen(directory: string, bootId: string): void {
  const script = `
    import { LmdbIndex } from ${JSON.stringify(new URL('lmdb-index.ts', import.meta.url).href)}
    const index = LmdbIndex.openForWriting(${JSON.stringify({ directory, bootId })})
    index.write([{ key: new Uint8Array(8).fill(1, 6), value: new Uint8Array([1]) }])
    process.kill(process.pid, 'SIGKILL')`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(run.signal, 'SIGKILL', run.stderr.toString())
}

test('HM13: reader and writer of one process may come in any order, and a reader changes nothing', () => {
  const directory = temporaryDirectory()
  fill(directory, 300)
  const before = fs.readFileSync(join(directory, 'index.mdb'))
  const { mtimeMs } = fs.statSync(join(directory, 'index.mdb'))
  const reader = LmdbIndex.openForReading({ directory, bootId: BOOT })
  assert.ok(reader)
  assert.equal(countKeys(reader), 300)
  assert.deepEqual(fs.readFileSync(join(directory, 'index.mdb')), before)
  assert.equal(fs.statSync(join(directory, 'index.mdb')).mtimeMs, mtimeMs)
  assert.throws(() => reader.write([]))
  assert.throws(() => reader.clear())
  const writer = LmdbIndex.openForWriting({ directory, bootId: BOOT })
  assert.equal(countKeys(writer), 300, 'the reader has not spoilt the seal')
  writer.write([{ key: key(700), value: new Uint8Array([7]) }])
  reader.refresh()
  assert.deepEqual(reader.get(key(700)), new Uint8Array([7]))
  reader.close()
  writer.write([{ key: key(701), value: new Uint8Array([8]) }])
  assert.equal(countKeys(writer), 302)
  writer.close()
  for (const file of ['index.mdb', 'index.mdb-lock', 'guard']) {
    assert.equal(fs.statSync(join(directory, file)).mode & 0o777, 0o600, file)
  }
})

test('HM13: a reader sees new batches after refresh, and notices a replaced file', () => {
  const directory = temporaryDirectory()
  const writer = LmdbIndex.openForWriting({ directory, bootId: BOOT })
  writer.write([{ key: key(1), value: new Uint8Array([1]) }])
  const reader = LmdbIndex.openForReading({ directory, bootId: BOOT })
  assert.ok(reader)
  assert.deepEqual(reader.get(key(1)), new Uint8Array([1]))
  writer.write([{ key: key(2), value: new Uint8Array([2]) }])
  reader.refresh()
  assert.deepEqual(reader.get(key(2)), new Uint8Array([2]))
  assert.equal(reader.isReplaced(), false)
  writer.clear()
  assert.equal(reader.isReplaced(), true)
  assert.deepEqual(reader.get(key(2)), new Uint8Array([2]))
  reader.close()
  writer.close()
})
