/**
 * The adversary against the journal: every byte of every file of a store is damaged in turn, with
 * the index as it was and with the index lost. What is then read may be refused, by the store or
 * by the verification that every reader does; it may never be other bytes than were written, and
 * with the index never fewer.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CapsuleName,
  decodeHeader,
  type Head,
  hashLeaf,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openBody,
  openManifest,
  rootFromTiles,
  signHead,
  UnavailableError,
  VerificationError,
  verifyHead,
} from '@longshore/capsule'
import { openDiskStore, type StoreReader } from '@longshore/engine'
import {
  type AppendOp,
  BranchFixture,
  type CapsuleFixture,
  createCapsuleFixture,
  Prng,
  SimDisk,
  SimIndex,
  SimRuntime,
  StoreDriver,
} from '@longshore/engine/testing'
import { hexOf } from './read-vectors.ts'

/** Everything that a store holds, read with the checks of a client: one line per fact. */
function readStore(store: StoreReader): Map<string, string> {
  const facts = new Map<string, string>()
  const note = (key: string, read: () => string): void => {
    try {
      facts.set(key, read())
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      facts.set(key, `refused: ${error.code}`)
    }
  }
  for (const name of store.names()) {
    const capsule = hexOf(name).slice(0, 8)
    note(`${capsule} manifest`, () => hexOf(openManifest(read(store.manifest(name)), name).body))
    note(`${capsule} entries`, () => {
      const head = verifiedHead(store, name)
      for (let index = 0; index < head.size; index += 1) {
        note(`${capsule} entry ${index}`, () => readEntry(store, name, index, head.size))
      }
      return `${head.size} ${hexOf(head.root)}`
    })
  }
  return facts
}

function read<TValue>(value: TValue | undefined): TValue {
  if (value === undefined) throw new UnavailableError('NOT_FOUND', 'nothing is there')
  return value
}

/** The head, if the writer has signed it and the tiles lead to it. */
function verifiedHead(store: StoreReader, name: CapsuleName): Head {
  const { manifest } = openManifest(read(store.manifest(name)), name)
  const head = read(store.state(name, MAIN_BRANCH)?.head)
  verifyHead(name, head, manifestKey(manifest, 'writer'))
  const tiles = {
    tile: (level: number, n: number, width: number) =>
      store.tile(name, MAIN_BRANCH, level, n, width),
  }
  if (hexOf(rootFromTiles(tiles, head.size)) === hexOf(head.root)) return head
  throw new VerificationError('ROOT_MISMATCH', 'tiles of another tree')
}

/** The entry, if its header is the leaf of the verified tree and the body fits the header. */
function readEntry(store: StoreReader, name: CapsuleName, index: number, size: number): string {
  const { header, state, body } = store.entry(name, MAIN_BRANCH, index)
  const leaves = store.tile(name, MAIN_BRANCH, 0, 0, size)
  if (hexOf(hashLeaf(header)) !== hexOf(leaves.slice(32 * index, 32 * index + 32))) {
    throw new VerificationError('ROOT_MISMATCH', 'another leaf')
  }
  const payload = body === undefined ? '' : hexOf(openBody(decodeHeader(header), body))
  return `${hexOf(header)} ${state} ${payload}`
}

interface Home {
  readonly disk: SimDisk
  readonly index: SimIndex
  readonly runtime: SimRuntime
}

/** Two capsules in several groups, one payload filled late, two erased, and a note. */
function writeHome(): Home {
  const prng = new Prng(7)
  const home = { disk: new SimDisk(prng), index: new SimIndex(prng), runtime: new SimRuntime(prng) }
  const store = openDiskStore({ ...home, index: home.index.open(), mode: 'write' })
  const driver = new StoreDriver(store)
  const capsules = [createCapsuleFixture(prng), createCapsuleFixture(prng)] as const
  const [first, second] = capsules.map(({ name }) => new BranchFixture(prng, name))
  assert.ok(first !== undefined && second !== undefined)
  driver.commit(...capsules.map(({ manifest }) => manifest))
  driver.commit(
    signed(capsules[0], first.append(3, { payloadBytes: 20, holes: [1] })),
    signed(capsules[1], second.append(1)),
  )
  driver.commit(first.fill(1))
  driver.commit(signed(capsules[1], second.append(2, { payloadBytes: 30 })))
  driver.commit(first.erase([0, 2]))
  driver.commit({ type: 'note', key: 'instance', value: prng.bytes(16) })
  store.close()
  return home
}

/** The same change with a head that the capsule's writer really signed. */
function signed({ name, writer }: CapsuleFixture, op: AppendOp): AppendOp {
  return { ...op, head: signHead({ name, ...op.head }, writer) }
}

/** The facts of a store on this disk; `index` undefined: the index was lost. */
function readHome({ disk, index, runtime }: Home, isIndexKept: boolean): Map<string, string> {
  const known = isIndexKept ? index : new SimIndex(new Prng(1))
  const store = openDiskStore({ disk, runtime, index: known.open(), mode: 'write' })
  const facts = readStore(store)
  assert.ok(facts.size > 0 || !isIndexKept)
  store.close()
  return facts
}

/** Facts that are neither as they were nor refused. */
function liesIn(read: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>): string[] {
  return [...read]
    .filter(([key, fact]) => fact !== truth.get(key) && !fact.startsWith('refused: '))
    .map(([key, fact]) => `${key}: ${fact.slice(0, 80)}`)
}

/** Capsules of which the store knows nothing more, or only an older head, without saying so. */
function rollbacksIn(
  read: ReadonlyMap<string, string>,
  truth: ReadonlyMap<string, string>,
): string[] {
  return [...truth]
    .filter(([key]) => key.endsWith(' entries'))
    .filter(([key, fact]) => read.get(key) !== fact && !read.get(key)?.startsWith('refused: '))
    .map(([key]) => key)
}

interface Findings {
  readonly tried: number
  readonly noticed: number
  readonly rollbacks: readonly string[]
  /** Erased payloads that are there again, as they were. */
  readonly returned: readonly string[]
  readonly lies: readonly string[]
}

/** An entry whose payload was erased, in the state that it had before. */
function isReturned(lie: string, truth: ReadonlyMap<string, string>): boolean {
  const [key = '', fact = ''] = lie.split(': ')
  const [header] = truth.get(key)?.split(' erased ') ?? []
  return header !== undefined && fact.startsWith(header.slice(0, fact.length))
}

/** Damages every byte of every file in turn, one bit each. */
function damageAll(home: Home, isIndexKept: boolean): Findings {
  const batchCount = home.index.batchCount
  const truth = readHome({ ...home, disk: home.disk.copy(new Prng(2)) }, isIndexKept)
  home.index.rollBack(batchCount)
  assert.ok([...truth.values()].every((fact) => !fact.startsWith('refused: ')))
  let [tried, noticed] = [0, 0]
  const [lies, rollbacks, returned]: [string[], string[], string[]] = [[], [], []]
  for (const path of home.disk.files()) {
    for (let position = 0; position < home.disk.contents(path).length; position += 1) {
      const disk = home.disk.copy(new Prng(position))
      disk.flipBit(path, position, position % 8)
      const read = readHome({ ...home, disk }, isIndexKept)
      home.index.rollBack(batchCount)
      const place = `${path} byte ${position}`
      const older = rollbacksIn(read, truth)
      rollbacks.push(...older.map((capsule) => `${place}: ${capsule}`))
      const isOlder = (lie: string): boolean => older.some((capsule) => lie.startsWith(capsule))
      for (const lie of liesIn(read, truth).filter((lie) => !isOlder(lie))) {
        const list = isReturned(lie, truth) ? returned : lies
        list.push(`${lie} (${place})`)
      }
      if ([...read.values()].some((fact) => fact.startsWith('refused: '))) noticed += 1
      tried += 1
    }
  }
  return { tried, noticed, rollbacks, returned, lies }
}

test('JR3 JR13 JR14: damage never makes a store give other bytes', () => {
  const { tried, noticed, rollbacks, returned, lies } = damageAll(writeHome(), true)
  console.log(`journal with its index: ${tried} bytes damaged, ${noticed} noticed on reading`)
  assert.deepEqual([...lies, ...returned], [])
  assert.deepEqual(rollbacks, [])
  assert.ok(tried > 1000 && noticed > tried / 4)
})

/**
 * With the index gone as well, a record whose name is damaged cannot be assigned (JR14): an older
 * signed head may be what is left, which the writer's anchor notices, and a payload may be there
 * again whose erase record was damaged. Both are counted; other bytes are never given.
 */
test('JR3 JR13 JR14: damage without the index never makes a store give other bytes', () => {
  const { tried, noticed, rollbacks, returned, lies } = damageAll(writeHome(), false)
  console.log(
    `journal without its index: ${tried} bytes damaged, ${noticed} noticed on reading, ` +
      `${rollbacks.length} lost a manifest or the newest head, ` +
      `${returned.length} brought an erased payload back`,
  )
  assert.deepEqual(lies, [])
  assert.ok(tried > 1000 && noticed > tried / 4)
})
