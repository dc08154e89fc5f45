import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../testing/prng.ts'
import { SimCrash, SimDisk } from '../../testing/sim-disk.ts'
import { WATERMARK_PATH, WatermarkFile } from './watermark.ts'

const POSITION = { segment: 3, offset: 4096, sequence: 2 ** 40, chain: 0xdeadbeef }

function written(seed = 1): SimDisk {
  const disk = new SimDisk(new Prng(seed))
  const file = new WatermarkFile(disk, 'boot-1')
  file.openForWriting()
  file.write(POSITION, new Prng(2).bytes(16))
  file.close()
  return disk
}

test('JR7: a watermark reads back, and tells whether it is of this start of the system', () => {
  const disk = written()
  const segmentId = new Prng(2).bytes(16).slice(0, 8)
  const same = new WatermarkFile(disk, 'boot-1').read()
  assert.deepEqual(same, { ...POSITION, segmentId, isCurrent: true })
  const later = new WatermarkFile(disk, 'boot-2').read()
  assert.deepEqual(later, { ...POSITION, segmentId, isCurrent: false })
})

test('JR7: a watermark that differs in any bit, or is cut, is none', () => {
  const disk = written()
  const bytes = disk.contents(WATERMARK_PATH)
  assert.equal(bytes.length, 64)
  for (let bit = 0; bit < 512; bit++) {
    const flipped = bytes.slice()
    flipped[bit >>> 3]! ^= 1 << (bit & 7)
    disk.plant(WATERMARK_PATH, flipped)
    assert.equal(new WatermarkFile(disk, 'boot-1').read(), undefined, `bit ${bit}`)
  }
  for (const length of [0, 63]) {
    disk.plant(WATERMARK_PATH, bytes.subarray(0, length))
    assert.equal(new WatermarkFile(disk, 'boot-1').read(), undefined)
  }
  assert.equal(new WatermarkFile(new SimDisk(new Prng(1)), 'boot-1').read(), undefined)
})

test('JR25: power lost anywhere while the watermark moves leaves one that is found', () => {
  let cuts = 0
  for (let step = 0, isOver = false; !isOver; step++) {
    for (let seed = 1; seed <= 50; seed++) {
      const disk = written(seed)
      disk.syncDirectory('')
      const file = new WatermarkFile(disk, 'boot-1')
      file.read()
      disk.crashAt(disk.counts.operations + step, seed % 2 === 0 ? 'before' : 'after')
      try {
        file.openForWriting()
        file.write(POSITION, new Prng(2).bytes(16))
        file.guard()
        isOver = true
        break
      } catch (error) {
        assert.ok(error instanceof SimCrash)
      }
      cuts++
      disk.crash('power')
      const again = new WatermarkFile(disk, 'boot-1')
      again.read()
      again.openForWriting()
      again.write(POSITION, new Prng(2).bytes(16))
      again.guard()
      again.close()
      assert.equal(new WatermarkFile(disk, 'boot-1').read()?.sequence, POSITION.sequence)
    }
  }
  assert.ok(cuts >= 300, `${cuts}`)
})

test('JR25: a disk that is full while the watermark moves keeps the one that is there', () => {
  const disk = written()
  const file = new WatermarkFile(disk, 'boot-1')
  file.openForWriting()
  file.write(POSITION, new Prng(2).bytes(16))
  disk.bytesMax = 100
  assert.throws(() => file.guard(), { code: 'FULL' })
  assert.equal(new WatermarkFile(disk, 'boot-1').read()?.sequence, POSITION.sequence)
  disk.bytesMax = 1000
  file.guard()
  assert.equal(new WatermarkFile(disk, 'boot-1').read()?.sequence, POSITION.sequence)
  assert.equal(disk.exists(WATERMARK_PATH), true)
  assert.deepEqual(disk.files(), ['watermark2'])
})
