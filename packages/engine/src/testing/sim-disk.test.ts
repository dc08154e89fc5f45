import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskFile } from '../runtime/disk.ts'
import { Prng } from './prng.ts'
import { SimCrash, SimDisk } from './sim-disk.ts'

const SECTOR = 512

function filled(byte: number, byteLength: number): Uint8Array {
  return new Uint8Array(byteLength).fill(byte)
}

/** A disk with one durable file of `sectors` sectors of ones. */
function diskWithFile(seed: number, sectors: number): { disk: SimDisk; file: DiskFile } {
  const disk = new SimDisk(new Prng(seed))
  const file = disk.open('a', 'create')
  file.write(0, [filled(1, sectors * SECTOR)])
  file.sync()
  disk.syncDirectory('')
  return { disk, file }
}

/** First byte of each sector, after checking that every sector is uniform. */
function sectorBytes(contents: Uint8Array): number[] {
  const bytes: number[] = []
  for (let at = 0; at < contents.length; at += SECTOR) {
    const sector = contents.subarray(at, at + SECTOR)
    assert.ok(
      sector.every((byte) => byte === sector[0]),
      'a sector is never half written',
    )
    bytes.push(sector[0] as number)
  }
  return bytes
}

test('SM2: what was synced survives power loss, what was not survives by sectors', () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 100; seed++) {
    const { disk, file } = diskWithFile(seed, 4)
    file.write(SECTOR, [filled(2, 2 * SECTOR)])
    disk.crash()
    const bytes = sectorBytes(disk.contents('a'))
    assert.deepEqual([bytes[0], bytes[3]], [1, 1], 'untouched sectors')
    outcomes.add(`${bytes[1]}${bytes[2]}`)
  }
  assert.deepEqual([...outcomes].sort(), ['11', '12', '21', '22'], 'kept, lost and torn both ways')
})

test('SM2: a sector written twice may come back as it was in between', () => {
  const outcomes = new Set<number>()
  for (let seed = 0; seed < 100; seed++) {
    const { disk, file } = diskWithFile(seed, 1)
    file.write(0, [filled(2, SECTOR)])
    file.write(0, [filled(3, SECTOR)])
    disk.crash()
    outcomes.add(sectorBytes(disk.contents('a'))[0] as number)
  }
  assert.deepEqual([...outcomes].sort(), [1, 2, 3])
})

test('SM2: an unsynced file length may be lost, and lost bytes inside the length read as zeros', () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const { disk, file } = diskWithFile(seed, 1)
    file.write(SECTOR, [filled(2, SECTOR)])
    disk.crash()
    outcomes.add(sectorBytes(disk.contents('a')).join())
  }
  assert.deepEqual([...outcomes].sort(), ['1', '1,0', '1,2'])
})

test('SM2: killing the process loses nothing of the page cache', () => {
  const { disk, file } = diskWithFile(1, 1)
  file.write(0, [filled(2, SECTOR)])
  disk.crash('kill')
  assert.deepEqual(sectorBytes(disk.contents('a')), [2])
})

test('SM2: truncating is undone or done by power loss, and done by sync', () => {
  const outcomes = new Set<number>()
  for (let seed = 0; seed < 50; seed++) {
    const { disk, file } = diskWithFile(seed, 2)
    file.truncate(SECTOR)
    if (seed % 2 === 0) file.sync()
    disk.crash()
    const { length } = disk.contents('a')
    if (seed % 2 === 0) assert.equal(length, SECTOR)
    outcomes.add(length)
  }
  assert.deepEqual([...outcomes].sort(), [2 * SECTOR, SECTOR])
})

test('SM3: a failed sync writes some sectors, and a later good one does not write the rest', () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const { disk, file } = diskWithFile(seed, 2)
    file.write(0, [filled(2, 2 * SECTOR)])
    disk.faultAt(disk.counts.operations, 'IO')
    assert.throws(() => file.sync(), { name: 'DiskError', code: 'IO' })
    assert.deepEqual(sectorBytes(disk.contents('a')), [2, 2], 'the cache still shows it')
    file.sync()
    disk.crash()
    outcomes.add(sectorBytes(disk.contents('a')).join(''))
  }
  assert.deepEqual([...outcomes].sort(), ['11', '12', '21', '22'])
})

test('SM4: names survive power loss only after a sync of their directory', () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const { disk, file } = diskWithFile(seed, 1)
    file.close()
    disk.open('b', 'create').close()
    disk.rename('a', 'c')
    if (seed % 2 === 0) disk.syncDirectory('')
    disk.crash()
    const names = disk.list('').join('')
    if (seed % 2 === 0) assert.equal(names, 'bc')
    outcomes.add(names)
  }
  assert.deepEqual([...outcomes].sort(), ['a', 'ab', 'bc', 'c'], 'a rename is never half done')
})

test('SM4: a rename replaces its target atomically, and the old target may come back', () => {
  const outcomes = new Set<number>()
  for (let seed = 0; seed < 50; seed++) {
    const { disk } = diskWithFile(seed, 1)
    const other = disk.open('b', 'create')
    other.write(0, [filled(2, SECTOR)])
    other.sync()
    disk.syncDirectory('')
    disk.rename('b', 'a')
    disk.crash()
    outcomes.add(sectorBytes(disk.contents('a'))[0] as number)
  }
  assert.deepEqual([...outcomes].sort(), [1, 2])
})

test('SM4: files below a directory that was never synced are gone', () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new SimDisk(new Prng(seed))
    disk.makeDirectory('d')
    const file = disk.open('d/a', 'create')
    file.write(0, [filled(1, SECTOR)])
    file.sync()
    disk.syncDirectory('d')
    disk.crash()
    const names = disk.list('')
    assert.deepEqual(disk.files(), names.length === 0 ? [] : ['d/a'])
  }
})

test('SM5: a crash point throws before or after the effect, and every old handle is dead', () => {
  for (const when of ['before', 'after'] as const) {
    const { disk, file } = diskWithFile(1, 1)
    disk.crashAt(disk.counts.operations, when)
    assert.throws(() => file.write(0, [filled(2, SECTOR)]), SimCrash)
    assert.throws(() => disk.exists('a'), SimCrash, 'dead until the restart')
    assert.match(disk.lastFault ?? '', /^4 write a$/)
    disk.crash('kill')
    assert.throws(() => file.byteLength(), SimCrash)
    assert.deepEqual(sectorBytes(disk.contents('a')), [when === 'before' ? 1 : 2])
    disk.open('a', 'write').write(0, [filled(3, SECTOR)])
  }
})

test('SM5: every operation is a crash point of its own number', () => {
  const work = (disk: SimDisk): void => {
    disk.makeDirectory('d')
    const file = disk.open('d/a', 'create')
    file.write(0, [filled(1, 10)])
    file.sync()
    file.truncate(5)
    disk.rename('d/a', 'd/b')
    disk.syncDirectory('d')
    disk.remove('d/b')
  }
  const whole = new SimDisk(new Prng(1))
  work(whole)
  assert.equal(whole.counts.operations, 8)
  for (let operation = 0; operation < 8; operation++) {
    const disk = new SimDisk(new Prng(1))
    disk.crashAt(operation, 'before')
    assert.throws(() => work(disk), SimCrash)
    assert.equal(disk.counts.operations, operation + 1)
  }
})

test('SM5: a full disk refuses to grow a file and leaves what was there', () => {
  const { disk, file } = diskWithFile(1, 2)
  disk.bytesMax = 3 * SECTOR
  assert.throws(() => file.write(2 * SECTOR, [filled(2, 2 * SECTOR)]), { code: 'FULL' })
  assert.deepEqual(sectorBytes(disk.contents('a')).slice(0, 2), [1, 1])
  assert.ok(disk.usedBytes() <= disk.bytesMax)
  file.write(0, [filled(3, 2 * SECTOR)])
  assert.deepEqual(sectorBytes(disk.contents('a')).slice(0, 2), [3, 3], 'no growth, no refusal')
})

test('SM5: planned errors, short reads and flipped bits', () => {
  const { disk, file } = diskWithFile(1, 2)
  disk.faultAt(disk.counts.operations, 'DENIED')
  assert.throws(() => disk.remove('a'), { code: 'DENIED' })
  assert.ok(disk.exists('a'))

  disk.shortReads = 1
  const into = new Uint8Array(100)
  assert.ok(file.read(0, into) < 100)
  disk.shortReads = 0
  assert.equal(file.read(0, into), 100)

  const position = disk.flipAnyBit('a')
  assert.notEqual(disk.contents('a')[position], 1)
  file.sync()
  disk.crash()
  assert.notEqual(disk.contents('a')[position], 1, 'damage at rest stays')
})

test('SM5: calls fail as the contract of a disk says', () => {
  const { disk } = diskWithFile(1, 1)
  disk.makeDirectory('d')
  assert.throws(() => disk.open('a', 'create'), { code: 'EXISTS' })
  assert.throws(() => disk.open('x', 'read'), { code: 'NOT_FOUND' })
  assert.throws(() => disk.open('x/y', 'create'), { code: 'NOT_FOUND' })
  assert.throws(() => disk.open('d', 'read'), { code: 'NOT_A_FILE' })
  assert.throws(() => disk.list('x'), { code: 'NOT_FOUND' })
  assert.throws(() => disk.remove('x'), { code: 'NOT_FOUND' })
  assert.throws(() => disk.open('a', 'read').write(0, []), { code: 'DENIED' })
  assert.throws(() => disk.open('../a', 'read'), /plain/)
  assert.equal(disk.open('a', 'read').read(SECTOR, new Uint8Array(1)), 0)
})

test('SM5: a copy is a disk of its own', () => {
  const { disk, file } = diskWithFile(1, 1)
  const copy = disk.copy(new Prng(2))
  file.write(0, [filled(2, SECTOR)])
  copy.crash()
  assert.deepEqual(sectorBytes(copy.contents('a')), [1])
  copy.plant('b', filled(5, 3))
  assert.equal(disk.exists('b'), false)
  copy.crash()
  assert.deepEqual([...copy.contents('b')], [5, 5, 5])
})

test('SM1 SM5: the same seed gives the same disk, byte for byte', () => {
  const run = (seed: number): string => {
    const { disk, file } = diskWithFile(seed, 8)
    for (let i = 0; i < 5; i++) file.write(i * 300, [filled(i + 2, 700)])
    disk.crash()
    return Buffer.from(disk.contents('a')).toString('hex')
  }
  assert.equal(run(5), run(5))
  assert.notEqual(run(5), run(6))
})
