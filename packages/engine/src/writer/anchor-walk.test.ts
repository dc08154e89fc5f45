/**
 * Random walks over crashes, power losses, copies, restores and moves of homes between machines,
 * with one question: did anybody ever see two histories of the capsule? (rules WR2, WR7, WR9)
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual, formatHex, MAIN_BRANCH, RightEdge } from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import { type MemoryMedium, MemoryStore } from '../store/memory-store.ts'
import type { Store, StoreOp } from '../store/store.ts'
import { type CapsuleFixture, createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { SimAnchor } from '../testing/sim-anchor.ts'
import { SimRuntime } from '../testing/sim-runtime.ts'
import { WriterHome } from '../testing/writer-home.ts'
import { type AnchorHome, checkAnchor, decodeAnchor, isCaughtUp } from './anchor.ts'
import { createGiveUpNote, readInstance } from './writer-notes.ts'

/** How far the group in flight is. */
type Phase = 'written' | 'synced' | 'anchored'

interface Machine {
  readonly runtime: SimRuntime
  readonly anchor: SimAnchor
  /** The home on this machine's disk, if there is one. */
  medium: MemoryMedium | undefined
  /** The process that writes to it, if it runs. */
  home: WriterHome | undefined
  phase: Phase | undefined
  /** After a crash the anchor may be or get behind: start the home before you replace it. */
  mustStart: boolean
}

type Counts = Record<string, number>

/** What docs/design/0002-anchor.md says cannot be noticed. */
type Accident = 'anchor copied with its home' | 'home replaced between a crash and its next start'

const MACHINES = 2
const SHELF = 5

class World {
  readonly prng: Prng
  readonly capsule: CapsuleFixture
  readonly machines: Machine[]
  readonly accident: Accident | undefined
  /** Raw copies of homes, without anchors. */
  readonly shelf: MemoryMedium[] = []
  readonly counts: Counts = {}
  /** Leaf hashes of everything that anybody has seen under a signed head. */
  readonly #seen: string[] = []

  constructor(seed: number, accident?: Accident) {
    this.accident = accident
    this.prng = new Prng(seed)
    this.capsule = createCapsuleFixture(this.prng)
    this.machines = Array.from({ length: MACHINES }, () => ({
      runtime: new SimRuntime(this.prng.child()),
      anchor: new SimAnchor(this.prng.child()),
      medium: undefined,
      home: undefined,
      phase: undefined,
      mustStart: false,
    }))
    const [first] = this.machines
    assert.ok(first)
    first.home = WriterHome.create(this.capsule, first.runtime, first.anchor)
    first.medium = first.home.medium
  }

  step(): void {
    const machine = this.prng.pick(this.machines)
    const actions: (readonly [weight: number, act: () => void])[] = [
      [60, () => this.work(machine)],
      [15, () => this.start(machine)],
      [4, () => this.stop(machine)],
      [4, () => this.crash(machine, 'kill')],
      [4, () => this.crash(machine, 'power')],
      [6, () => this.copy(machine)],
      [6, () => this.putBack(machine)],
      [2, () => this.move(machine, this.prng.pick(this.machines))],
      [1, () => this.drop(machine)],
      [1, () => this.loseAnchor(machine)],
      [2, () => machine.anchor.sync()],
      [1, () => this.shelf.splice(0)],
      [8, () => this.importInto(machine)],
      [8, () => this.recover(machine)],
    ]
    let roll = this.prng.below(actions.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, act] of actions) {
      if (roll < weight) {
        act()
        return
      }
      roll -= weight
    }
  }

  /** Everything under the head of this store is out in the world: it must fit what was seen. */
  see(store: Store): void {
    const { name } = this.capsule
    const { size } = store.state(name, MAIN_BRANCH) ?? { size: 0 }
    for (let start = 0; start < size; start += 256) {
      const tile = store.tile(name, MAIN_BRANCH, 0, start / 256, Math.min(256, size - start))
      for (let at = 0; at < tile.length; at += 32) {
        const index = start + at / 32
        const leaf = formatHex(tile.subarray(at, at + 32))
        this.#seen[index] ??= leaf
        assert.equal(leaf, this.#seen[index], `two histories, from entry ${index} on`)
      }
    }
  }

  start(machine: Machine): void {
    if (machine.medium === undefined || machine.home !== undefined) return
    const { runtime, anchor, medium } = machine
    if (this.accident === 'anchor copied with its home') this.#copyAnchor(machine)
    machine.home = new WriterHome(this.capsule, runtime, anchor, medium)
    machine.mustStart = false
    this.#count(machine.home.writer.doubt ?? 'clean')
    this.see(machine.home.store)
  }

  stop(machine: Machine): void {
    if (machine.home === undefined || machine.phase !== undefined) return
    machine.anchor.sync()
    machine.home = undefined
  }

  /** One step between an append and its acknowledgement. */
  work(machine: Machine): void {
    const { home } = machine
    if (home === undefined) return
    if (machine.phase === undefined) {
      if (home.writer.doubt !== undefined) {
        assert.throws(() => home.append('x'), { code: 'WRITER_STATE_UNKNOWN' })
        return
      }
      const count = this.prng.between(1, 3)
      for (let i = 0; i < count; i++) home.append(`${this.prng.uint32()}`)
      home.cut()
      home.flush()
      machine.phase = 'written'
    } else if (machine.phase === 'written') {
      machine.phase = 'synced'
    } else if (machine.phase === 'synced') {
      home.durable()
      machine.phase = 'anchored'
    } else {
      home.committed()
      machine.phase = undefined
      this.see(home.store)
      this.#count('released')
    }
  }

  crash(machine: Machine, how: 'kill' | 'power'): void {
    const { home, phase } = machine
    if (home !== undefined && phase !== undefined) {
      const kept = how === 'kill' || phase !== 'written' || this.prng.chance(0.5)
      const token = home.syncing?.effect.token
      assert.ok(token)
      if (kept) home.store.step({ type: 'synced', token })
    }
    machine.home = undefined
    machine.phase = undefined
    if (how === 'power' && machine.anchor.losePower()) this.#count('anchor went back')
    if (machine.medium === undefined) return
    const anchor = decodeAnchor(machine.anchor.read() ?? new Uint8Array(0))
    const left = this.#describe(machine.medium)
    if (checkAnchor(anchor, left) !== 'clean') return
    if (anchor?.size !== left.size) this.#count('crash with the anchor behind')
    if (this.accident === 'home replaced between a crash and its next start') return
    if (anchor?.size !== left.size || !machine.anchor.isSynced) machine.mustStart = true
  }

  /** A raw copy, of a home in which nothing is under way. */
  copy(machine: Machine): void {
    if (machine.medium === undefined || machine.mustStart || machine.phase !== undefined) return
    const copy = machine.medium.copy()
    this.see(new MemoryStore(copy))
    this.shelf.push(copy)
    if (this.shelf.length > SHELF) this.shelf.splice(this.prng.below(SHELF), 1)
  }

  putBack(machine: Machine): void {
    if (this.shelf.length === 0 || machine.home !== undefined || machine.mustStart) return
    machine.medium = this.prng.pick(this.shelf).copy()
    this.#count('put back')
  }

  move(from: Machine, to: Machine): void {
    const busy = [from, to].some((machine) => machine.home !== undefined || machine.mustStart)
    if (busy || from === to || from.medium === undefined) return
    to.medium = from.medium
    from.medium = undefined
    // Who moves a home properly takes its anchor away; who forgets it may not claim an only copy.
    if (this.prng.chance(0.5)) from.anchor.plant(undefined)
    this.#count('moved')
  }

  drop(machine: Machine): void {
    if (machine.home !== undefined || machine.mustStart) return
    machine.medium = undefined
  }

  loseAnchor(machine: Machine): void {
    if (machine.home === undefined && !machine.mustStart) machine.anchor.plant(undefined)
  }

  /** Brings in what a longer copy holds, as import and restore do. */
  importInto(machine: Machine): void {
    const { home } = machine
    if (home === undefined || machine.phase !== undefined) return
    const target = this.#describe(home.medium)
    const longer = this.#media().filter((medium) => {
      const source = this.#describe(medium)
      if (source.size <= target.size) return false
      return bytesEqual(source.rootAt(target.size), target.rootAt(target.size))
    })
    if (longer.length === 0) return
    home.commitOps(...this.#importOps(home.store, new MemoryStore(this.prng.pick(longer))))
    home.writer = home.openWriter()
    this.#count('imported')
    this.see(home.store)
    if (!home.writer.isCaughtUp) return
    home.writer.catchUp()
    home.cut()
    home.flush()
    machine.phase = 'written'
    this.#count('caught up')
  }

  /** The operator says `--assume-only-copy`, but only where it is true. */
  recover(machine: Machine): void {
    const { home } = machine
    if (home?.writer.doubt === undefined || !this.#isOnlyCopy(machine)) return
    home.writer.recover(1, 'the walk says so')
    home.cut()
    home.flush()
    machine.phase = 'written'
    this.#count('recovered')
  }

  /** This home holds all that exists, and no other machine would accept any copy of it. */
  #isOnlyCopy(machine: Machine): boolean {
    const own = this.#describe(machine.medium as MemoryMedium)
    if (own.size < this.#seen.length) return false
    const contains = (home: AnchorHome) =>
      home.size <= own.size && bytesEqual(own.rootAt(home.size), home.rootAt(home.size))
    if (!this.#media().every((medium) => contains(this.#describe(medium)))) return false
    for (const other of this.machines) {
      if (other === machine) continue
      if (other.home !== undefined && other.home.writer.doubt === undefined) return false
      for (const bytes of other.anchor.versions()) {
        const anchor = decodeAnchor(bytes ?? new Uint8Array(0))
        for (const medium of this.#media()) {
          const home = this.#describe(medium)
          if (checkAnchor(anchor, home) === 'clean' || isCaughtUp(anchor, home)) return false
        }
      }
    }
    return true
  }

  /** Brings along an anchor of another machine that fits the home. */
  #copyAnchor(machine: Machine): void {
    const home = this.#describe(machine.medium as MemoryMedium)
    for (const other of this.machines) {
      const bytes = other.anchor.read()
      const anchor = decodeAnchor(bytes ?? new Uint8Array(0))
      if (checkAnchor(anchor, home) === 'clean') machine.anchor.plant(bytes)
    }
  }

  #media(): MemoryMedium[] {
    return [...this.shelf, ...this.machines.flatMap(({ medium }) => medium ?? [])]
  }

  #describe(medium: MemoryMedium): AnchorHome {
    const store = new MemoryStore(medium)
    const { name } = this.capsule
    const source = {
      tile: (level: number, n: number, width: number) =>
        store.tile(name, MAIN_BRANCH, level, n, width),
    }
    return {
      name,
      branch: MAIN_BRANCH,
      instance: readInstance(store, name, MAIN_BRANCH),
      epoch: 0,
      size: store.state(name, MAIN_BRANCH)?.size ?? 0,
      rootAt: (size) => RightEdge.open(source, size).root(),
    }
  }

  #importOps(target: Store, source: Store): StoreOp[] {
    const { name } = this.capsule
    const branch = MAIN_BRANCH
    const start = target.state(name, branch)?.size ?? 0
    const state = source.state(name, branch)
    assert.ok(state?.head)
    const builder = new EntryBatchBuilder()
    for (const { header, body } of source.scan(name, branch, { start, end: state.size })) {
      builder.addEncoded(header, 0, body)
    }
    const entries = builder.build()
    const tileOf = (level: number, n: number, width: number) =>
      target.tile(name, branch, level, n, width)
    const tiles = RightEdge.open({ tile: tileOf }, start).append(entries.leafHashes)
    const { head } = state
    return [
      { type: 'append', name, branch, start, entries, tiles, head },
      createGiveUpNote(name, branch),
    ]
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }
}

function walk(seed: number, accident?: Accident): Counts {
  const world = new World(seed, accident)
  try {
    for (let i = 0; i < 400; i++) world.step()
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
  }
  return world.counts
}

test('WR2 WR7 WR9 WR11: crashes, copies and restores never lead to a second history', () => {
  const total: Counts = {}
  for (let seed = 1; seed <= 100; seed++) {
    for (const [what, count] of Object.entries(walk(seed))) {
      total[what] = (total[what] ?? 0) + count
    }
  }
  const expected = [
    ...['clean', 'missing', 'other-instance', 'ahead', 'released', 'put back', 'moved'],
    ...['imported', 'caught up', 'recovered', 'anchor went back', 'crash with the anchor behind'],
  ]
  for (const what of expected) assert.ok((total[what] ?? 0) > 0, `${what} never happened`)
})

test('WR7: what the anchor cannot notice leads to a second history, and the walk sees it', () => {
  const accidents: Accident[] = [
    'anchor copied with its home',
    'home replaced between a crash and its next start',
  ]
  for (const accident of accidents) {
    const walkAll = () => {
      for (let seed = 1; seed <= 100; seed++) walk(seed, accident)
    }
    assert.throws(walkAll, /two histories/, accident)
  }
})

test('WR7 WR9: crashes alone never raise a doubt and lose nothing that was released', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new World(seed)
    const [machine] = world.machines
    assert.ok(machine)
    let released = 0
    for (let i = 0; i < 200; i++) {
      if (world.prng.chance(0.1)) world.crash(machine, world.prng.chance(0.5) ? 'kill' : 'power')
      world.start(machine)
      const size = machine.home?.writer.size ?? 0
      assert.ok(size >= released, `seed ${seed}: ${size} entries, ${released} were released`)
      assert.equal(machine.home?.writer.doubt, undefined, `seed ${seed}`)
      world.work(machine)
      released = machine.home?.writer.head?.size ?? 0
    }
    assert.ok(released > 0)
  }
})
