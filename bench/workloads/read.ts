/**
 * Reading at random from the own store, every entry verified, and making proofs of entries.
 *
 * @module
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  hashLeaf,
  proveInclusion,
  RightEdge,
  sha256,
  TILES_PER_PROOF_MAX,
  TreeNodes,
} from '@longshore/capsule'
import { type Capsule, openHome } from '@longshore/client/node'
import { hypercoreName, openHypercore } from '../contenders/hypercore.ts'
import { MemoryTiles } from '../contenders/memory-tiles.ts'
import { rateInFlight, rateOf, tightRateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const ENTRY_COUNT = 100_000
const PAYLOAD_BYTES = 100
const BATCH = 1000
/** More than the tree has. */
const TILES_KEPT = 1000

/** Indices all over the capsule, the same ones for everybody; no clock and no Math.random. */
function createIndices(): () => number {
  let state = 12_345
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state % ENTRY_COUNT
  }
}

const batch: Uint8Array[] = Array.from({ length: BATCH }, (_, at) =>
  new Uint8Array(PAYLOAD_BYTES).fill(at & 255),
)

type Work = (nextIndex: () => number) => Promise<unknown>

async function createLongshore(
  directory: string,
  lanes: number,
  work: (capsule: Capsule) => Work,
): Promise<Contender> {
  const home = await openHome({ path: join(directory, 'home') })
  const capsule = await home.create()
  for (let i = 0; i < ENTRY_COUNT; i += BATCH) await capsule.appendMany(batch)
  const nextIndex = createIndices()
  const once = work(capsule)
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'no disk' },
    measure: (windowMs) => rateInFlight(windowMs, lanes, () => once(nextIndex)),
    close: async () => {
      await capsule.close()
      await home.close()
    },
  }
}

async function createHypercore(
  directory: string,
  lanes: number,
  work: (core: Awaited<ReturnType<typeof openHypercore>>) => Work,
): Promise<Contender> {
  const core = await openHypercore(join(directory, 'hypercore'))
  for (let i = 0; i < ENTRY_COUNT; i += BATCH) await core.append(batch)
  const nextIndex = createIndices()
  const once = work(core)
  return {
    ...{ name: hypercoreName(), role: 'rival', durability: 'no disk' },
    measure: (windowMs) => rateInFlight(windowMs, lanes, () => once(nextIndex)),
    close: () => core.close(),
  }
}

/** One system call for an entry, one hash over its header and one over its payload. */
function createBareRead(directory: string): Contender {
  const entryBytes = PAYLOAD_BYTES + 50
  const path = join(directory, 'bare-read')
  const file = openSync(path, 'w+')
  writeSync(file, new Uint8Array(entryBytes * ENTRY_COUNT))
  const into = new Uint8Array(entryBytes)
  const nextIndex = createIndices()
  const read = (): void => {
    readSync(file, into, 0, entryBytes, nextIndex() * entryBytes)
    sha256(into.subarray(50))
    hashLeaf(into.subarray(0, 50))
  }
  return {
    ...{ name: 'bare read and two hashes', role: 'limit', durability: 'no disk' },
    measure: (windowMs) => tightRateOf(windowMs, 64, read),
    close: () => closeSync(file),
  }
}

function gets(lanes: number): Row {
  const how = lanes === 1 ? 'one at a time' : `${lanes} in flight`
  return {
    title: `get at random, verified, ${how}`,
    ...{ unit: 'entries/s', better: 'more', target: 150_000 },
    bound: 'one read of the journal, two hashes and one promise for each entry',
    contenders: async (directory) => [
      await createLongshore(directory, lanes, (capsule) => (next) => capsule.get(next())),
      await createHypercore(directory, lanes, (core) => (next) => core.get(next())),
      createBareRead(directory),
    ],
  }
}

function scan(): Row {
  return {
    title: 'read in order, verified',
    ...{ unit: 'entries/s', better: 'more' },
    contenders: async (directory) => {
      const { close } = await createLongshore(directory, 1, () => async () => {})
      await close?.()
      const home = await openHome({ path: join(directory, 'home') })
      const [info] = (await home.list()).filter(({ size }) => size === ENTRY_COUNT)
      if (info === undefined) throw new Error('the capsule that was just written is not listed')
      const capsule = await home.open(info.name)
      return [
        {
          ...{ name: 'longshore', role: 'longshore', durability: 'no disk' },
          measure: (windowMs) =>
            rateOf(windowMs, ENTRY_COUNT, async () => {
              let seen = 0
              for await (const { payload } of capsule.read()) if (payload !== undefined) seen++
              if (seen !== ENTRY_COUNT) throw new Error(`read ${seen} of ${ENTRY_COUNT} entries`)
            }),
          close: async () => {
            await capsule.close()
            await home.close()
          },
        },
      ]
    },
  }
}

function receipts(): Row {
  return {
    title: 'receipt of an entry at random, made and checked',
    ...{ unit: 'receipts/s', better: 'more' },
    bound: 'the signatures of manifest and head, verified before the receipt goes out',
    contenders: async (directory) => [
      await createLongshore(directory, 1, (capsule) => (next) => capsule.receipt(next())),
    ],
  }
}

function proofs(): Row {
  return {
    title: 'full inclusion proof of an entry at random, built',
    ...{ unit: 'proofs/s', better: 'more', target: 40_000 },
    bound: 'hashes within a tile, where its nodes are not kept',
    contenders: async (directory) => [
      createProofs('longshore, nodes of all tiles kept', 'longshore', TILES_KEPT),
      await createHypercore(directory, 1, (core) => (next) => core.proof(proofOf(next()))),
      createProofs('longshore, from tiles alone', 'limit', TILES_PER_PROOF_MAX),
    ],
  }
}

/** A block with its nodes up to the signed root, as for a peer that has nothing yet. */
function proofOf(index: number): object {
  return { block: { index, nodes: 0 }, upgrade: { start: 0, length: ENTRY_COUNT } }
}

/** From tiles in memory. */
function createProofs(name: string, role: Contender['role'], tilesKept: number): Contender {
  const tiles = new MemoryTiles()
  const edge = RightEdge.empty()
  const leaf = hashLeaf(new Uint8Array(50))
  for (let i = 0; i < ENTRY_COUNT; i++) tiles.keep(edge.append(leaf))
  tiles.keepPartial(edge)
  const nodes = new TreeNodes(tiles, tilesKept)
  const nextIndex = createIndices()
  const prove = (): void => void proveInclusion(nodes, nextIndex(), ENTRY_COUNT)
  return {
    ...{ name, role, durability: 'no disk' },
    measure: (windowMs) => tightRateOf(windowMs, 64, prove),
  }
}

export const readRows: readonly Row[] = [gets(1), gets(32), scan(), proofs(), receipts()]
