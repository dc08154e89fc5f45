import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { asCapsuleName, concatBytes, type ProtocolError } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import { encodeControl, Fields, lookupValue } from './control-frame.ts'
import * as frames from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { InLabels, OutLabels } from './labels.ts'
import { Timers } from './timers.ts'

const name = (value: number) => asCapsuleName(new Uint8Array(32).fill(value))

const refusal: frames.Unreachable = {
  ...{ source: name(1), destination: name(2), by: name(3) },
  code: 'NO_ROUTE',
  message: 'nobody is there',
}

const GOOD: readonly Uint8Array[] = [
  concatBytes(frames.dataHead(name(1), name(2), 1, 32, 3), new Uint8Array(3)),
  frames.labelFrame(7, name(1), name(2)),
  frames.retireFrame(7),
  frames.pingFrame(frames.PING, 9),
  frames.unreachableFrame(refusal, 32),
  frames.publishedHead(name(1), name(2), 0, 32, 0),
]

function readAll(bytes: Uint8Array, cuts: readonly number[], frameBytesMax = 1_048_576) {
  const reader = new FrameReader(frameBytesMax)
  const seen: Uint8Array[] = []
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.slice(at, cut), (piece, start, end) => {
      seen.push(piece.slice(start, end))
      return true
    })
    at = cut
  }
  return seen
}

test('FR1: a stream cut anywhere gives the same frames', () => {
  const stream = concatBytes(...GOOD)
  for (let at = 0; at <= stream.length; at++) assert.deepEqual(readAll(stream, [at]), GOOD)
  const prng = new Prng(3)
  for (let round = 0; round < 200; round++) {
    const cuts = Array.from({ length: 12 }, () => prng.below(stream.length + 1))
    assert.deepEqual(
      readAll(
        stream,
        cuts.sort((a, b) => a - b),
      ),
      GOOD,
    )
  }
})

test('FR1: a frame that lies in one piece is handed on where it lies', () => {
  const stream = concatBytes(...GOOD)
  const pieces = new Set<Uint8Array>()
  new FrameReader(1_048_576).push(stream, (bytes) => pieces.add(bytes) !== undefined)
  assert.deepEqual([...pieces], [stream])
})

test('FR1: an impossible length is refused before anything is kept for it', () => {
  for (const head of ['00000000', '00100001', 'ffffffff']) {
    const bytes = new Uint8Array(Buffer.from(head, 'hex'))
    const codes = [[], [1], [1, 3]].map((cuts) => codeOf(() => readAll(bytes, cuts)))
    assert.deepEqual(codes, ['FRAME_INVALID', 'FRAME_INVALID', 'FRAME_INVALID'], head)
  }
  assert.equal(readAll(new Uint8Array([0, 16, 0, 0]), []).length, 0)
  assert.equal(
    codeOf(() => readAll(new Uint8Array([0, 4, 0, 1]), [], 262_144)),
    'FRAME_INVALID',
  )
})

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    return (error as ProtocolError).code
  }
}

test('FR2 FR3: unknown types, wrong lengths and unknown flags are refused', () => {
  for (const frame of GOOD)
    assert.equal(
      codeOf(() => check(frame)),
      'accepted',
    )
  for (let type = 0; type < 256; type++) {
    if (Object.values(frames).includes(type as never)) continue
    const frame = frames.startFrame(type, 4)
    assert.equal(
      codeOf(() => check(frame)),
      'FRAME_INVALID',
      `type ${type}`,
    )
  }
  for (const frame of GOOD) {
    const short = frame.slice(0, 6)
    assert.equal(
      codeOf(() => check(short)),
      'FRAME_INVALID',
      `type ${frame[4]}, cut`,
    )
  }
  for (const frame of GOOD.filter(({ length }) => length > 70 && length < 100)) {
    if (frame[frames.AT_TYPE] === frames.LABEL) continue
    const flagged = frame.with(frames.AT_FLAGS, 2)
    assert.equal(
      codeOf(() => check(flagged)),
      'FRAME_INVALID',
      `type ${frame[4]}, flag`,
    )
  }
})

function check(frame: Uint8Array): void {
  frames.checkFrame(frame, 0, frame.length)
}

test('FR4: a refusal reads back; another reason or an unprintable message is refused', () => {
  const frame = frames.unreachableFrame(refusal, 32)
  assert.deepEqual(frames.decodeUnreachable(frame, 0, frame.length), refusal)
  const decode = (changed: Uint8Array) => () => frames.decodeUnreachable(changed, 0, frame.length)
  assert.equal(codeOf(decode(frame.with(103, 0))), 'FRAME_INVALID')
  assert.equal(codeOf(decode(frame.with(103, 4))), 'FRAME_INVALID')
  assert.equal(codeOf(decode(frame.with(105, 0x1b))), 'FRAME_INVALID')
  assert.equal(codeOf(decode(frame.with(frames.AT_FLAGS, 1))), 'FRAME_INVALID')
})

test('FR5 FR7 FR8: labels are counted up, few at a time, and stand for nothing once retired', () => {
  const ends = { destination: name(1), source: name(2), destinationKey: 'd', pair: 'p' }
  const labels = new InLabels(2)
  assert.equal(
    codeOf(() => labels.define(2, ends)),
    'FRAME_INVALID',
    'out of order',
  )
  labels.define(1, ends)
  assert.equal(
    codeOf(() => labels.define(1, ends)),
    'FRAME_INVALID',
    'again',
  )
  labels.define(2, ends)
  assert.equal(
    codeOf(() => labels.define(3, ends)),
    'FRAME_INVALID',
    'too many',
  )
  labels.retire(1)
  assert.equal(
    codeOf(() => labels.get(1)),
    'FRAME_INVALID',
    'retired',
  )
  assert.equal(
    codeOf(() => labels.retire(1)),
    'FRAME_INVALID',
    'retired twice',
  )
  labels.define(3, ends)
  assert.equal(labels.get(3).destination, ends.destination)
  assert.equal(labels.count, 2)
})

test('FR5 FR7 FR8: a sender labels a pair at its second frame, and forgets what is idle', () => {
  const labels = new OutLabels(2)
  const announced: number[] = []
  const of = (pair: string) => labels.of(pair, (label) => announced.push(label))?.label
  assert.deepEqual([of('a'), of('a'), of('a')], [undefined, 1, 1])
  assert.deepEqual([of('b'), of('c'), of('c')], [undefined, undefined, undefined], 'c has no room')
  const retired: number[] = []
  const sweep = () => labels.sweep((label) => retired.push(label))
  sweep()
  of('b')
  sweep()
  assert.deepEqual({ announced, retired }, { announced: [1, 2], retired: [1] })
  assert.deepEqual([of('a'), of('a')], [undefined, 3], 'a number is never used again')
})

test('FR12: control frames are arrays of a fixed shape in one spelling', () => {
  const read = (hex: string, use: (fields: Fields) => unknown) => {
    const body = new Uint8Array(Buffer.from(hex, 'hex'))
    const frame = concatBytes(frames.startFrame(frames.LOOKUP, body.length, 0), body)
    return codeOf(() => use(Fields.ofFrame(frame, 0, frame.length, 2)))
  }
  const two = (fields: Fields) => [fields.uint(), fields.text(3)]
  assert.equal(read('820163616263', two), 'accepted')
  for (const [hex, what] of [
    ['82180163616263', 'a longer spelling of a number'],
    ['82016361626300', 'a byte after the end'],
    ['8301636162630', 'not even'],
    ['8101', 'a field too few'],
    ['83016361626303', 'a field too many'],
    ['82016461626364', 'text that is too long'],
    ['820163611b63', 'a control character'],
    ['82206361626', 'a negative number'],
    ['a10102', 'a map'],
    ['', 'nothing'],
  ] as const) {
    assert.equal(read(hex, two), 'FRAME_INVALID', what)
  }
})

/** The bytes of the code block in frame.md that is marked as `text <mark>`, without its words. */
function example(mark: string): Uint8Array {
  const path = new URL('../../../../docs/spec/frame.md', import.meta.url)
  const found = readFileSync(path, 'utf8').split(`\`\`\`text ${mark}\n`)[1]?.split('\n```')[0]
  assert.ok(found !== undefined, `frame.md has an example of ${mark}`)
  const hex = found.split('\n').map((line) => line.split(/ {2,}/)[0]?.replaceAll(' ', ''))
  return new Uint8Array(Buffer.from(hex.join(''), 'hex'))
}

test('FR5 FR12: the examples in frame.md', () => {
  const labelled = new Uint8Array(16)
  frames.writeLabelledHead(labelled, 0, 1, 0, 32, 5)
  labelled.set(Buffer.from('hello'), frames.LABELLED_HEAD_BYTES)
  const label = frames.labelFrame(1, name(1), name(2))
  assert.deepEqual(example('labelled'), concatBytes(label, labelled))
  const question = { request: 7, name: name(1), hopsLeft: 8 }
  assert.deepEqual(example('lookup'), encodeControl(frames.LOOKUP, lookupValue(question)))
})

test('OV7: timers run in the order of their time, and only those that are due', () => {
  const prng = new Prng(5)
  const timers = new Timers()
  const done: number[] = []
  const expected: number[] = []
  for (let i = 0; i < 500; i++) {
    const atUs = prng.below(1000)
    const timer = timers.schedule(atUs, () => done.push(atUs))
    if (prng.chance(0.5)) timers.cancel(timer)
    else expected.push(atUs)
  }
  expected.sort((a, b) => a - b)
  timers.run(499)
  assert.deepEqual(
    done,
    expected.filter((atUs) => atUs <= 499),
  )
  assert.equal(
    timers.nextUs,
    expected.find((atUs) => atUs > 499),
  )
  timers.run(1000)
  assert.deepEqual(done, expected)
  assert.equal(timers.nextUs, undefined)
})
