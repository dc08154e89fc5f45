import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskError } from '../../runtime/disk.ts'
import { Prng } from '../../testing/prng.ts'
import { SimDisk } from '../../testing/sim-disk.ts'
import { SegmentFiles } from './segment-files.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  parseSegmentName,
  type SegmentHeader,
  segmentPath,
} from './segment-header.ts'

function createHeader(prng: Prng, number: number): SegmentHeader {
  return {
    number,
    generation: 0,
    id: prng.bytes(16),
    firstSequence: 10,
    previousEnd: 4000,
    previousId: prng.bytes(8),
  }
}

function createFiles(filesMax: number): { disk: SimDisk; files: SegmentFiles; prng: Prng } {
  const prng = new Prng(1)
  const disk = new SimDisk(prng)
  disk.makeDirectory('segments')
  return { disk, files: new SegmentFiles(disk, filesMax), prng }
}

test('JR1: names of segment files have one spelling', () => {
  const names = [
    { number: 1, generation: 0 },
    { number: 99_999_999, generation: 1 },
    { number: 4_294_967_295, generation: 120 },
  ]
  for (const name of names) {
    const fileName = segmentPath(name).replace('segments/', '')
    assert.deepEqual(parseSegmentName(fileName), name)
  }
  assert.equal(segmentPath({ number: 1, generation: 0 }), 'segments/00000001.0.seg')
  const bad = [
    '00000000.0.seg',
    '1.0.seg',
    '000000001.0.seg',
    '00000001.00.seg',
    '00000001.seg',
    '00000001.0.seg.tmp',
    '4294967296.0.seg',
    ' 00000001.0.seg',
    '00000001.0.SEG',
  ]
  for (const fileName of bad) assert.equal(parseSegmentName(fileName), undefined, fileName)
})

test('JR2: a segment header reads back, and no other bit pattern does', () => {
  const header = createHeader(new Prng(2), 3)
  const bytes = encodeSegmentHeader(header)
  assert.deepEqual(decodeSegmentHeader(bytes, header), header)
  assert.equal(decodeSegmentHeader(bytes, { number: 4, generation: 0 }), undefined)
  assert.equal(decodeSegmentHeader(bytes, { number: 3, generation: 1 }), undefined)
  assert.equal(decodeSegmentHeader(bytes.subarray(0, 63), header), undefined)
  for (let bit = 0; bit < 512; bit++) {
    const flipped = bytes.slice()
    flipped[bit >>> 3]! ^= 1 << (bit & 7)
    assert.equal(decodeSegmentHeader(flipped, header), undefined, `bit ${bit}`)
  }
})

test('JR2: a segment has its name only when it is durable', () => {
  const { disk, prng } = createFiles(4)
  const header = createHeader(prng, 1)
  for (let operation = 0; operation < 5; operation++) {
    const copy = disk.copy(prng.child())
    copy.crashAt(operation, 'before')
    try {
      new SegmentFiles(copy, 4).create(header, () => undefined)
    } catch {
      // The planned crash.
    }
    copy.crash('power')
    const files = new SegmentFiles(copy, 4)
    for (const name of files.list()) assert.deepEqual(files.inspect(name).header, header)
  }
})

test('JR1: leftovers of an interrupted creation are removed, or written over', () => {
  const { disk, files, prng } = createFiles(4)
  const header = createHeader(prng, 1)
  disk.plant('segments/00000001.0.seg.tmp', prng.bytes(100))
  files.create(header, () => undefined)
  assert.deepEqual(disk.files(), ['segments/00000001.0.seg'])
  disk.plant('segments/00000002.0.seg.tmp', prng.bytes(100))
  files.removeTemporary()
  assert.deepEqual(disk.files(), ['segments/00000001.0.seg'])
})

test('JR9: a segment that does not fit on the disk leaves nothing behind', () => {
  const { disk, files, prng } = createFiles(4)
  disk.bytesMax = 1000
  const write = () =>
    files.create(createHeader(prng, 1), (file) => file.write(64, [new Uint8Array(2000)]))
  assert.throws(write, (error) => error instanceof DiskError && error.code === 'FULL')
  assert.deepEqual(disk.files(), [])
})

test('JR2: the id of a segment with a damaged header comes from its records or from the link', () => {
  const { disk, files, prng } = createFiles(4)
  const header = createHeader(prng, 1)
  files.create(header, () => undefined)
  disk.flipBit('segments/00000001.0.seg', 20, 3)
  const name = { number: 1, generation: 0 }
  assert.equal(files.inspect(name).header, undefined)
  assert.equal(files.inspect(name).recordId, undefined)
  const link = header.id.slice(0, 8)
  assert.deepEqual(files.inspect(name, link).recordId, link)
})

test('JR1: few files are open at a time, and all of them can be read', () => {
  const { disk, files, prng } = createFiles(3)
  for (let number = 1; number <= 10; number++) {
    files.create(createHeader(prng, number), () => undefined)
  }
  for (let round = 0; round < 3; round++) {
    for (let number = 1; number <= 10; number++) {
      assert.equal(files.inspect({ number, generation: 0 }).header?.number, number)
    }
  }
  const file = files.file({ number: 10, generation: 0 })
  assert.equal(files.file({ number: 10, generation: 0 }), file, 'the same handle')
  files.file({ number: 1, generation: 0 })
  files.file({ number: 2, generation: 0 })
  files.file({ number: 3, generation: 0 })
  assert.throws(() => file.byteLength(), 'closed to make room')
  assert.equal(disk.files().length, 10)
})
