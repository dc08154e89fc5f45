/**
 * What lies on the disk, damaged: whole stores are opened on it and read completely.
 *
 * A journal may lose entries to damage, but never give a wrong one. The index is believed as long
 * as it makes sense, because whoever reads entries verifies them; it may only never break a store.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  concatBytes,
  formatHex,
  MAIN_BRANCH,
  UsageError,
} from '@longshore/capsule'
import { type DiskStore, decodeAnchor, encodeAnchor, openDiskStore } from '@longshore/engine'
import {
  BranchFixture,
  createManifestOp,
  Prng,
  SimDisk,
  SimIndex,
  SimRuntime,
  StoreDriver,
} from '@longshore/engine/testing'
import type { FuzzTarget } from './fuzz-target.ts'
import { capsule, head } from './world.ts'

const SEED = 7
const CAPSULES = 2
const GROUPS = 6
const LIMITS = { segmentBytesMax: 6_000, aheadBytesMin: 512, aheadBytesMax: 1024 }

interface Home {
  readonly disk: SimDisk
  readonly index: SimIndex
  readonly runtime: SimRuntime
}

interface Entry {
  readonly header: Uint8Array
  /** Undefined if it is erased, or absent. */
  readonly body: Uint8Array | undefined
}

/** `entries` are those before the last group, which erases some of them. */
interface Made {
  readonly home: Home
  readonly entries: ReadonlyMap<string, Entry>
}

let made: Made | undefined

/** A closed home with a few segments, and what it holds. */
function makeHome(): Made {
  if (made !== undefined) return made
  const prng = new Prng(SEED)
  const home = {
    ...{ disk: new SimDisk(prng.child()), index: new SimIndex(prng.child()) },
    runtime: new SimRuntime(prng.child()),
  }
  const store = open(home)
  const driver = new StoreDriver(store)
  const manifests = Array.from({ length: CAPSULES }, () => createManifestOp(prng))
  const branches = manifests.map(({ name }) => new BranchFixture(prng, name))
  driver.commit(...manifests)
  for (let group = 0; group < GROUPS; group++) {
    driver.commit(...branches.map((branch) => branch.append(prng.between(1, 12))))
  }
  const entries = new Map(readAll(store))
  driver.commit(...branches.map((branch) => branch.erase([1, 3])))
  store.close()
  made = { home, entries }
  return made
}

function open({ disk, index, runtime }: Home): DiskStore {
  return openDiskStore({ disk, index: index.open(), runtime, mode: 'write', limits: LIMITS })
}

/** Every entry that can be read, by capsule and index. */
function* readAll(store: DiskStore): Generator<[key: string, entry: Entry]> {
  for (const name of store.names()) {
    store.manifest(name)
    const size = store.state(name, MAIN_BRANCH)?.size ?? 0
    for (let index = 0; index < size; index++) {
      const entry = readEntry(store, name, index)
      if (entry !== undefined) yield [`${formatHex(name)} ${index}`, entry]
    }
  }
}

/** Undefined where the damage is. */
function readEntry(store: DiskStore, name: CapsuleName, index: number): Entry | undefined {
  try {
    return store.entry(name, MAIN_BRANCH, index)
  } catch (error) {
    if ((error as { code?: string }).code === 'STORE_CORRUPT') return undefined
    throw error
  }
}

/** The body may be gone, but it may not be another one. */
function isOf({ header, body }: Entry, expected: Entry | undefined): boolean {
  if (expected === undefined || !bytesEqual(header, expected.header)) return false
  return body === undefined || bytesEqual(body, expected.body ?? new Uint8Array(0))
}

/** A copy of the home with one change, opened and read. */
function readDamaged(change: (copy: Home) => void, isTrusted: boolean): undefined {
  const { home, entries } = makeHome()
  const prng = new Prng(SEED + 1)
  const copy: Home = {
    disk: home.disk.copy(prng.child()),
    index: new SimIndex(prng.child()),
    runtime: new SimRuntime(prng.child()),
  }
  change(copy)
  const store = open(copy)
  for (const [key, entry] of readAll(store)) {
    if (isTrusted && !isOf(entry, entries.get(key))) throw new Error(`read a wrong entry at ${key}`)
  }
  store.fsck()
  store.close()
  return undefined
}

/** A target for each segment file would be the same target: the last one and the first differ. */
function segmentTarget(which: 'first' | 'last'): FuzzTarget {
  const path = (): string => {
    const segments = makeHome()
      .home.disk.files()
      .filter((file) => file.endsWith('.seg'))
    return segments.sort().at(which === 'first' ? 0 : -1) ?? ''
  }
  return {
    name: `journal-${which}-segment`,
    samples: () => [makeHome().home.disk.contents(path())],
    roundTrip: (input) => readDamaged(({ disk }) => disk.plant(path(), input), true),
    isSlow: true,
  }
}

const WATERMARK = 'watermark'

function indexEntries() {
  const all = makeHome().home.index.open().range(Uint8Array.of(0), Uint8Array.of(255))
  return [...all].map(([key, value]) => ({ key, value }))
}

/** Key and value of one index entry, as one input. */
function packIndexEntry(key: Uint8Array, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(key.length), key, value)
}

export const engineTargets: readonly FuzzTarget[] = [
  {
    name: 'anchor',
    samples: () => {
      const { name } = capsule
      const instance = new Uint8Array(16).fill(9)
      const { branch, epoch, size, root } = head
      return [encodeAnchor({ instance, name, branch, epoch, size, root })]
    },
    roundTrip: (input) => {
      const anchor = decodeAnchor(input)
      if (anchor === undefined) throw new UsageError('USAGE', 'no anchor')
      return encodeAnchor(anchor)
    },
  },
  segmentTarget('first'),
  segmentTarget('last'),
  {
    name: 'watermark',
    samples: () => [makeHome().home.disk.contents(WATERMARK)],
    roundTrip: (input) => readDamaged(({ disk }) => disk.plant(WATERMARK, input), true),
    isSlow: true,
  },
  {
    name: 'index',
    samples: () => indexEntries().map(({ key, value }) => packIndexEntry(key, value)),
    roundTrip: (input) => {
      const key = input.slice(1, 1 + (input[0] ?? 0))
      if (key.length === 0) throw new UsageError('USAGE', 'no key')
      const value = input.slice(1 + key.length)
      return readDamaged(({ index }) => {
        index.open().write([...indexEntries(), { key, value }])
      }, false)
    },
    isSlow: true,
  },
]
