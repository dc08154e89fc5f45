/**
 * Another CID library, npm's multiformats, on our names.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, hexOf, readVectors } from './read-vectors.ts'

/** The parts of multiformats that are used here. */
interface Cid {
  readonly version: number
  readonly code: number
  readonly multihash: { readonly code: number; readonly digest: Uint8Array }
  toString(): string
}
interface Multiformats {
  readonly CID: { parse(text: string): Cid; create(version: 1, code: number, hash: unknown): Cid }
  readonly digest: { create(code: number, digest: Uint8Array): unknown }
}

const DAG_CBOR = 0x71
const SHA2_256 = 0x12

/** The library, or undefined where it is not installed: it is no dependency of the product. */
const library = (await import('multiformats' as string).catch(() => undefined)) as
  | Multiformats
  | undefined
const skip = library === undefined ? 'multiformats is not installed' : false

const names = readVectors<{ kind: string; bytes: string; text: string }>('name').filter(
  ({ kind }) => kind === 'name',
)

test('NM2: a CID library reads our names and writes the same text', { skip }, () => {
  const { CID, digest } = library!
  for (const { bytes, text } of names.filter(({ valid }) => valid)) {
    const cid = CID.parse(text)
    assert.equal(cid.version, 1)
    assert.equal(cid.code, DAG_CBOR)
    assert.equal(cid.multihash.code, SHA2_256)
    assert.equal(hexOf(cid.multihash.digest), bytes)
    const made = CID.create(1, DAG_CBOR, digest.create(SHA2_256, bytesOf(bytes)))
    assert.equal(made.toString(), text)
  }
})

test('NM3: other spellings exist for that library, but not for us', { skip }, () => {
  const { CID } = library!
  const spellings = names.filter(({ id }) => /spare-bits|hex$|base58/.test(id))
  const readable = spellings.filter(({ text }) => {
    try {
      return CID.parse(text).multihash.digest.length === 32
    } catch {
      return false
    }
  })
  assert.ok(readable.length > 0, 'the vectors hold spellings that a lenient reader accepts')
})
