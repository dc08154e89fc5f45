import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, asHash, asSignature, MAIN_BRANCH } from '@longshore/capsule'
import { expectCode } from '../../testing/expect.ts'
import { Prng } from '../../testing/prng.ts'
import {
  blockKey,
  branchOfStateKey,
  decodeIndexWatermark,
  decodeState,
  encodeBranchKey,
  encodeIndexWatermark,
  encodeState,
  generationKey,
  manifestKey,
  nameOfManifestKey,
  noteKey,
  otherBranchesRange,
  stateKey,
  tileKey,
} from './index-layout.ts'

const prng = new Prng(1)
const name = asCapsuleName(prng.bytes(32))
const branch = asBranchId(prng.bytes(16))

test('IX1: keys begin with their letter, and carry what they are about', () => {
  const main = encodeBranchKey(name, MAIN_BRANCH)
  const other = encodeBranchKey(name, branch)
  assert.deepEqual(main, Uint8Array.of(...name, 0))
  assert.deepEqual(other, Uint8Array.of(...name, 16, ...branch))
  assert.deepEqual(blockKey(main, 258), Uint8Array.of(0x62, ...main, 0, 0, 0, 0, 0, 0, 1, 2))
  assert.deepEqual(tileKey(main, 1, 2), Uint8Array.of(0x74, ...main, 1, 0, 0, 0, 0, 0, 0, 0, 2))
  assert.deepEqual(stateKey(other), Uint8Array.of(0x73, ...other))
  assert.deepEqual(manifestKey(name), Uint8Array.of(0x6d, ...name))
  assert.deepEqual(noteKey('k!'), Uint8Array.of(0x6e, 0x6b, 0x21))
  assert.deepEqual(generationKey(258), Uint8Array.of(0x67, 0, 0, 1, 2))
  assert.deepEqual(nameOfManifestKey(manifestKey(name)), name)
  assert.deepEqual(branchOfStateKey(stateKey(other)), branch)
  expectCode(() => nameOfManifestKey(name), 'STORE_CORRUPT', 'a key that is too short')
})

test('IX1: the other branches of a capsule lie in one range, without the main branch', () => {
  const [from, to] = otherBranchesRange(name)
  const text = (bytes: Uint8Array) => String.fromCharCode(...bytes)
  const isIn = (key: Uint8Array) => text(from) <= text(key) && text(key) < text(to)
  assert.equal(isIn(stateKey(encodeBranchKey(name, branch))), true)
  assert.equal(
    isIn(stateKey(encodeBranchKey(name, asBranchId(new Uint8Array(16).fill(255))))),
    true,
  )
  assert.equal(isIn(stateKey(encodeBranchKey(name, MAIN_BRANCH))), false)
  assert.equal(isIn(stateKey(encodeBranchKey(asCapsuleName(prng.bytes(32)), branch))), false)
})

test('IX3: states read back', () => {
  const head = {
    branch,
    epoch: 3,
    size: 70_000,
    root: asHash(prng.bytes(32)),
    signature: asSignature(prng.bytes(64)),
  }
  for (const withheldEnd of [0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const state = {
      isDamaged: withheldEnd > 1,
      withheldEnd,
      known: 2 ** 50,
      timeUsMax: 2 ** 53 - 1,
      head,
    }
    assert.deepEqual(decodeState(encodeState(state)), state)
    const empty = { ...state, head: undefined }
    assert.deepEqual(decodeState(encodeState(empty)), empty)
  }
  expectCode(() => decodeState(new Uint8Array(16)), 'STORE_CORRUPT', 'a state that is cut')
  const bytes = encodeState({ isDamaged: false, withheldEnd: 0, known: 1, timeUsMax: 1, head })
  expectCode(() => decodeState(bytes.subarray(0, -1)), 'STORE_CORRUPT', 'a head that is cut')
})

test('IX4: the index watermark reads back; of another version it is none', () => {
  const watermark = {
    segment: 7,
    offset: 99,
    sequence: 2 ** 40,
    chain: 5,
    segmentId: prng.bytes(16),
  }
  const bytes = encodeIndexWatermark(watermark)
  assert.equal(bytes.length, 40)
  assert.deepEqual(decodeIndexWatermark(bytes), watermark)
  assert.equal(decodeIndexWatermark(bytes.subarray(0, 39)), undefined)
  bytes[0] = 2
  assert.equal(decodeIndexWatermark(bytes), undefined)
})
