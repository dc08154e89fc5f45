import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  asBranchId,
  asCapsuleName,
  encodeUtf8,
  formatHex,
  MAIN_BRANCH,
  sha256,
} from '@longshore/capsule'
import type { DiskFile } from '../../runtime/disk.ts'
import { Prng } from '../../testing/prng.ts'
import { SimDisk } from '../../testing/sim-disk.ts'
import { GroupEncoder } from './group-encoder.ts'
import { type PreparedRecord, prepareRecords } from './prepared-record.ts'
import {
  decodeAddress,
  decodeNoteBody,
  decodeRanges,
  encodeAddress,
  encodeNotePrefix,
  encodeRanges,
} from './record.ts'
import { encodeSegmentHeader, firstChain, type SegmentHeader } from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'

const ID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)
const HEADER: SegmentHeader = {
  number: 1,
  generation: 0,
  id: ID,
  firstSequence: 1,
  previousEnd: 0,
  previousId: new Uint8Array(8),
}

function encodeGroup(records: readonly PreparedRecord[]): Uint8Array {
  const start = { segmentId: ID, sequence: 1, chain: firstChain(HEADER) }
  const { chunks, byteLength } = new GroupEncoder().encode(records, start)
  const bytes = new Uint8Array(byteLength)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  assert.equal(at, byteLength)
  return bytes
}

function fileWith(...parts: Uint8Array[]): DiskFile {
  const disk = new SimDisk(new Prng(1))
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  disk.plant('file', bytes)
  return disk.open('file', 'read')
}

/** The bytes of the code block behind a rule; what follows two spaces is a comment. */
function specExample(rule: string): string {
  const spec = readFileSync(new URL('../../../../../docs/spec/journal.md', import.meta.url), 'utf8')
  const block = spec.slice(spec.indexOf(`**${rule}.**`)).split(/```(?:text)?/)[1] ?? ''
  return block.replaceAll(/ {2,}.*/g, '').replaceAll(/\s/g, '')
}

test('JR2: the example of a segment header', () => {
  assert.equal(formatHex(encodeSegmentHeader(HEADER)), specExample('JR2'))
})

test('JR3 JR4 JR5: the example of a group', () => {
  const records = prepareRecords({ type: 'note', key: 'k', value: encodeUtf8('hi') })
  assert.equal(formatHex(encodeGroup(records)), specExample('JR5'))
})

test('JR3: a record that differs in any bit is no record', () => {
  const prng = new Prng(2)
  const records = prepareRecords({ type: 'note', key: 'key', value: prng.bytes(21) })
  const header = encodeSegmentHeader(HEADER)
  const group = encodeGroup(records)
  const whole = new SegmentWindow(fileWith(header, group), ID)
  const first = whole.recordAt(64, 64 + group.length)
  assert.equal(first?.type, 6)
  const end = first.end - 64
  for (let bit = 0; bit < 8 * end; bit++) {
    const flipped = group.slice()
    flipped[bit >>> 3]! ^= 1 << (bit & 7)
    const window = new SegmentWindow(fileWith(header, flipped), ID)
    const record = window.recordAt(64, 64 + group.length)
    assert.equal(record, undefined, `bit ${bit}`)
  }
})

test('JR3: a record of another segment, or one that is cut, is no record', () => {
  const records = prepareRecords({ type: 'note', key: 'key', value: new Uint8Array(9) })
  const group = encodeGroup(records)
  const file = fileWith(encodeSegmentHeader(HEADER), group)
  const other = ID.slice()
  other[7]! ^= 1
  assert.equal(new SegmentWindow(file, other).recordAt(64, 64 + group.length), undefined)
  const end = new SegmentWindow(file, ID).recordAt(64, 64 + group.length)?.end as number
  assert.equal(new SegmentWindow(file, ID).recordAt(64, end - 1), undefined)
  const cut = fileWith(encodeSegmentHeader(HEADER), group.subarray(0, end - 65))
  assert.equal(new SegmentWindow(cut, ID).recordAt(64, end), undefined)
})

test('JR13: the next valid record is found behind anything', () => {
  const records = prepareRecords({ type: 'note', key: 'key', value: new Uint8Array(40) })
  const group = encodeGroup(records)
  for (const gap of [8, 64, 1000, 1_048_576 - 80, 2_000_000]) {
    const noise = new Prng(gap).bytes(gap - (gap % 8))
    // The id alone does not make a record.
    noise.set(ID.subarray(0, 8), 0)
    const file = fileWith(noise, group)
    const window = new SegmentWindow(file, ID)
    assert.equal(window.findRecord(0, file.byteLength(), 0)?.offset, noise.length)
    assert.equal(window.findRecord(0, file.byteLength(), 1)?.sequence, 2)
    assert.equal(window.findRecord(0, file.byteLength(), 2), undefined)
  }
})

test('JR4: addresses have one form', () => {
  const name = asCapsuleName(sha256(encodeUtf8('name')))
  const branch = asBranchId(new Prng(3).bytes(16))
  for (const id of [MAIN_BRANCH, branch]) {
    const address = { name, branch: id, count: 7, index: 2 ** 53 - 1 }
    const bytes = encodeAddress(address)
    assert.equal(bytes.length, 64)
    assert.deepEqual(decodeAddress(bytes), { ...address, name, branch: id })
    const bad: [at: number, value: number][] = [
      [48, 1],
      [48, 17],
      [49, 1],
      [51, 255],
      [56, 0xff],
    ]
    for (const [at, value] of bad) {
      const changed = bytes.slice()
      changed[at] = value
      assert.equal(decodeAddress(changed), undefined, `byte ${at}`)
    }
  }
  const padded = encodeAddress({ name, branch: MAIN_BRANCH, count: 0, index: 0 })
  padded[40] = 1
  assert.equal(decodeAddress(padded), undefined, 'the main branch has zeros for an id')
  assert.equal(decodeAddress(padded.subarray(0, 63)), undefined)
})

test('JR4: ranges and notes', () => {
  const ranges = [
    { start: 0, end: 1 },
    { start: 2 ** 40, end: 2 ** 53 - 1 },
  ]
  const body = new Uint8Array([...new Uint8Array(64), ...encodeRanges(ranges)])
  assert.deepEqual(decodeRanges(body, 2), ranges)
  assert.equal(decodeRanges(body, 1), undefined)
  assert.equal(decodeRanges(body.subarray(0, 95), 2), undefined)
  body[64 + 15] = 0
  assert.equal(decodeRanges(body, 2), undefined, 'an empty range')
  const key = encodeUtf8('key')
  const note = new Uint8Array([...encodeNotePrefix(key), 1, 2])
  assert.deepEqual(decodeNoteBody(note), { key, value: Uint8Array.of(1, 2) })
  assert.equal(decodeNoteBody(note.subarray(0, 4)), undefined)
  assert.equal(decodeNoteBody(note.subarray(0, 1)), undefined)
})

test('JR5: large contents are written from where they are, small ones beside their header', () => {
  const prng = new Prng(4)
  const name = asCapsuleName(prng.bytes(32))
  const payload = (bodyBytes: number) => {
    const body = prng.bytes(bodyBytes)
    return { type: 'payload', name, branch: MAIN_BRANCH, index: 0, body } as const
  }
  const ops = [payload(100), payload(5001), payload(7), payload(8000)]
  const records = ops.flatMap((op) => prepareRecords(op))
  const start = { segmentId: ID, sequence: 1, chain: 0 }
  const { chunks } = new GroupEncoder().encode(records, start)
  assert.equal(chunks.length, 5)
  assert.equal(chunks[1], ops[1]?.body)
  assert.equal(chunks[3], ops[3]?.body)
})
