/**
 * Checkpoints, heartbeats, verifier keys and compact heads against vectors/checkpoint.json and
 * vectors/head.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asBranchId,
  asCapsuleName,
  asHash,
  asPublicKey,
  asRoleKey,
  asSignature,
  decodeHead,
  encodeHead,
  formatCheckpoint,
  formatOrigin,
  formatVkey,
  headText,
  NOTE_COSIGNATURE,
  NOTE_ED25519,
  openCheckpoint,
  parseVkey,
  verifyHead,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused, textOf } from './refusals.ts'

interface CheckpointFields {
  readonly kind: 'open' | 'vkey'
  readonly note?: string
  readonly noteBytes?: string
  readonly text: string
  readonly vkey?: string
  readonly name: string
  readonly branch: string
  readonly writerKey: string
  readonly size: number
  readonly root: string
  readonly signature: string
  readonly heartbeatS?: number
  readonly cosigner?: { name: string; key: string; timeS: number; vkey: string }
  readonly keyName: string
  readonly type: number
  readonly key: string
}

const cases = readVectors<CheckpointFields>('checkpoint')
const notes = cases.filter(({ kind }) => kind === 'open')
const vkeys = cases.filter(({ kind }) => kind === 'vkey')

/** Opens the note of a case; a note that is not UTF-8 is refused when it is read as text. */
function open(vector: CheckpointFields): ReturnType<typeof openCheckpoint> {
  const { cosigner } = vector
  return openCheckpoint(textOf(vector.note, vector.noteBytes), {
    name: asCapsuleName(bytesOf(vector.name)),
    branch: asBranchId(bytesOf(vector.branch)),
    writerKey: asRoleKey(asPublicKey(bytesOf(vector.writerKey))),
    cosigners: cosigner === undefined ? [] : [parseVkey(cosigner.vkey)],
  })
}

test('CP7 CP9 CP10 CP16 CP17: checkpoints of the vectors open to the head that was signed', () => {
  checkCases(
    notes.filter(({ valid }) => valid),
    (vector) => {
      const { name, head, heartbeatS, cosignatures } = open(vector)
      assert.equal(hexOf(name), vector.name)
      assert.equal(hexOf(head.branch), vector.branch)
      assert.equal(head.epoch, 0)
      assert.equal(head.size, vector.size)
      assert.equal(hexOf(head.root), vector.root)
      assert.equal(hexOf(head.signature), vector.signature)
      assert.equal(heartbeatS, vector.heartbeatS)
      assert.deepEqual(
        cosignatures.map(({ key, timeS }) => ({ name: key.name, key: hexOf(key.key), timeS })),
        vector.cosigner === undefined
          ? []
          : [
              {
                name: vector.cosigner.name,
                key: vector.cosigner.key,
                timeS: vector.cosigner.timeS,
              },
            ],
      )
      assert.equal(headText(name, head), vector.text)
    },
  )
})

test('CP2 CP4 CP9: our checkpoint of a head is the note of the vectors', () => {
  checkCases(
    notes.filter(({ valid, vkey }) => valid && vkey !== undefined),
    (vector) => {
      const { name, head } = open(vector)
      const key = asPublicKey(bytesOf(vector.writerKey))
      assert.equal(formatCheckpoint(name, head, asRoleKey(key)), vector.note)
      const origin = formatOrigin(name, head.branch)
      assert.equal(formatVkey({ name: origin, type: NOTE_ED25519, key }), vector.vkey)
    },
  )
})

test('CP4 CP5 CP6 CP8 CP9 CP10 CP14 CP15: every other note is refused', () => {
  checkCases(
    notes.filter(({ valid }) => !valid),
    (vector) => assertRefused(vector, () => open(vector)),
  )
})

test('CP1 CP2 CP3: verifier keys', () => {
  checkCases(vkeys, (vector) => {
    const vkey = vector.vkey ?? ''
    if (!vector.valid) return assertRefused(vector, () => parseVkey(vkey))
    const key = parseVkey(vkey)
    assert.equal(key.name, vector.keyName)
    assert.equal(key.type, vector.type)
    assert.ok(key.type === NOTE_ED25519 || key.type === NOTE_COSIGNATURE)
    assert.equal(hexOf(key.key), vector.key)
    assert.equal(formatVkey(key), vkey)
  })
})

interface HeadFields {
  readonly kind: 'decode' | 'verify'
  readonly bytes: string
  readonly name: string
  readonly writerKey: string
  readonly head: { branch: string; epoch: number; size: number; root: string; signature: string }
}

const heads = readVectors<HeadFields>('head')

test('CP13: compact heads have one spelling', () => {
  checkCases(
    heads.filter(({ kind }) => kind === 'decode'),
    (vector) => {
      if (!vector.valid) return assertRefused(vector, () => decodeHead(bytesOf(vector.bytes)))
      const head = decodeHead(bytesOf(vector.bytes))
      const { branch, epoch, size, root, signature } = head
      const described = {
        branch: hexOf(branch),
        epoch,
        size,
        root: hexOf(root),
        signature: hexOf(signature),
      }
      assert.deepEqual(described, vector.head)
      assert.equal(hexOf(encodeHead(head)), vector.bytes)
    },
  )
})

test('CP12: a head is verified for its capsule, branch, size and root', () => {
  checkCases(
    heads.filter(({ kind }) => kind === 'verify'),
    (vector) => {
      const { branch, epoch, size, root, signature } = vector.head
      const head = {
        branch: asBranchId(bytesOf(branch)),
        epoch,
        size,
        root: asHash(bytesOf(root)),
        signature: asSignature(bytesOf(signature)),
      }
      const name = asCapsuleName(bytesOf(vector.name))
      const verify = () =>
        verifyHead(name, head, asRoleKey(asPublicKey(bytesOf(vector.writerKey))), head.epoch)
      if (vector.valid) verify()
      else assertRefused(vector, verify)
    },
  )
})
