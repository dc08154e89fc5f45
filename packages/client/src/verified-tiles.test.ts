import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RightEdge, sha256, type TileSource } from '@longshore/capsule'
import { VerifiedTiles } from './verified-tiles.ts'

const TILE_BYTES = 8192

/** A tree of random leaves and its tiles. */
function createTree(tileCount: number): { edge: RightEdge; tiles: Map<string, Uint8Array> } {
  const edge = RightEdge.empty()
  const tiles = new Map<string, Uint8Array>()
  for (let n = 0; n < tileCount; n++) {
    const leaves = new Uint8Array(TILE_BYTES)
    for (let i = 0; i < 256; i++) leaves.set(sha256(Uint8Array.of(n, n >> 8, i)), i * 32)
    for (const tile of edge.append(leaves)) tiles.set(`${tile.level}/${tile.n}`, tile.bytes)
  }
  return { edge, tiles }
}

class CountingSource implements TileSource {
  reads = 0
  changed: string | undefined
  readonly #tiles: Map<string, Uint8Array>

  constructor(tiles: Map<string, Uint8Array>) {
    this.#tiles = tiles
  }

  tile(level: number, n: number, width: number): Uint8Array {
    this.reads++
    const bytes = this.#tiles.get(`${level}/${n}`)!.slice(0, width * 32)
    if (this.changed === `${level}/${n}`) bytes[100]! ^= 1
    return bytes
  }
}

test('HM25: tiles that do not fit into memory are read again, and recognised by one hash', () => {
  const { edge, tiles } = createTree(20)
  const source = new CountingSource(tiles)
  const verified = new VerifiedTiles(source, 4 * TILE_BYTES)
  verified.believe(edge)
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 20; n++) assert.deepEqual(verified.wholeTile(0, n), tiles.get(`0/${n}`))
  }
  assert.equal(source.reads, 60)
  assert.deepEqual(verified.wholeTile(0, 19), tiles.get('0/19'))
  assert.equal(source.reads, 60, 'the newest ones are kept')
})

test('HM25: a tile that changed after it was authenticated is noticed', () => {
  const { edge, tiles } = createTree(20)
  const source = new CountingSource(tiles)
  const verified = new VerifiedTiles(source, TILE_BYTES)
  verified.believe(edge)
  verified.wholeTile(0, 3)
  verified.wholeTile(0, 4)
  source.changed = '0/3'
  assert.throws(() => verified.wholeTile(0, 3), { code: 'ROOT_MISMATCH' })
  source.changed = undefined
  assert.deepEqual(verified.wholeTile(0, 3), tiles.get('0/3'))
})

test('HM24: a wrong tile above makes all tiles below it wrong', () => {
  const { edge, tiles } = createTree(520)
  const source = new CountingSource(tiles)
  const verified = new VerifiedTiles(source, 1000 * TILE_BYTES)
  verified.believe(edge)
  source.changed = '1/0'
  assert.throws(() => verified.wholeTile(0, 3), { code: 'ROOT_MISMATCH' })
  assert.throws(() => verified.wholeTile(0, 255), { code: 'ROOT_MISMATCH' })
  verified.wholeTile(0, 300)
  verified.wholeTile(0, 519)
})
