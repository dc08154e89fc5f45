/**
 * A home in memory, for tests: real manifests, signatures and trees over a memory store, and an
 * event loop that the test turns by hand.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  MAIN_BRANCH,
  type Manifest,
  manifestKey,
  type SignedManifest,
  type Signer,
  signManifest,
} from '@longshore/capsule'
import {
  type AnchorSlot,
  createFirstInstance,
  type DiskFile,
  MemoryMedium,
  MemoryStore,
  openBranchWriter,
} from '@longshore/engine'
import { Prng, SimRuntime } from '@longshore/engine/testing'
import { DEFAULT_TERMS } from '../append-request.ts'
import { BranchAppender } from '../branch-appender.ts'
import type { Ack } from '../capsule.ts'
import { VerifiedBranch } from '../verified-branch.ts'
import { type DriverPlatform, WriteDriver } from '../write-driver.ts'

/** An anchor that outlives homes, and can refuse to be written. */
class MemoryAnchor implements AnchorSlot {
  bytes: Uint8Array | undefined
  failure: Error | undefined
  writeCount = 0

  read(): Uint8Array | undefined {
    return this.bytes
  }

  write(bytes: Uint8Array): void {
    if (this.failure !== undefined) throw this.failure
    this.writeCount++
    this.bytes = bytes.slice()
  }

  sync(): void {}
}

/** Deferred actions run when the test says so; syncs off the thread end when the test says so. */
export class ManualLoop {
  isServing = false
  /** How far the clock moves with each look at it: a sync in place seems to take this long. */
  stepMs = 0.1
  syncsOffThread = 0
  /** What the next sync fails with. */
  syncFailure: Error | undefined
  #nowMs = 0
  readonly #deferred: (() => void)[] = []
  readonly #syncs: { resolve: () => void; reject: (error: Error) => void; file: DiskFile }[] = []

  /** Runs everything deferred so far. */
  turn(): void {
    for (const action of this.#deferred.splice(0)) action()
  }

  get pendingSyncs(): number {
    return this.#syncs.length
  }

  /** Ends the sync that is in flight off the thread. */
  async finishSync(): Promise<void> {
    const sync = this.#syncs.shift()
    if (sync === undefined) throw new Error('no sync is in flight')
    if (this.syncFailure === undefined) sync.resolve()
    else sync.reject(this.syncFailure)
    await flushMicrotasks()
  }

  readonly platform: DriverPlatform = {
    defer: (action: () => void): void => void this.#deferred.push(action),
    syncOffThread: (file: DiskFile): Promise<void> => {
      this.syncsOffThread++
      return new Promise((resolve, reject) => this.#syncs.push({ resolve, reject, file }))
    },
    nowMs: (): number => (this.#nowMs += this.stepMs),
    isServing: (): boolean => this.isServing,
  }
}

/** Lets every promise that is settled call its followers. */
export async function flushMicrotasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

export class MemoryHome {
  readonly medium: MemoryMedium
  readonly store: MemoryStore
  readonly loop: ManualLoop = new ManualLoop()
  readonly driver: WriteDriver
  readonly anchor: MemoryAnchor
  readonly runtime: SimRuntime
  readonly signed: SignedManifest
  readonly writer: Signer
  appender: BranchAppender
  commits = 0

  constructor(options: { medium?: MemoryMedium; anchor?: MemoryAnchor; blind?: boolean } = {}) {
    const seeds = new Prng(7)
    this.runtime = new SimRuntime(new Prng(options.medium === undefined ? 8 : 9))
    const owner = createSigner(seeds.bytes(32))
    this.writer = createSigner(seeds.bytes(32))
    this.signed = signManifest(createManifest(owner, this.writer, options.blind === true), owner)
    this.medium = options.medium ?? new MemoryMedium()
    this.anchor = options.anchor ?? new MemoryAnchor()
    this.store = new MemoryStore(this.medium)
    this.driver = new WriteDriver(this.store, this.loop.platform, () => this.commits++)
    if (options.medium === undefined) this.#create()
    this.appender = this.openAppender()
  }

  get name(): CapsuleName {
    return this.signed.name
  }

  openAppender(): BranchAppender {
    const at = { name: this.name, branch: MAIN_BRANCH }
    const { store, driver, runtime, anchor, writer: signer } = this
    const openWriter = () => openBranchWriter({ store, ...at, signer, runtime, anchor })
    const context = { store, driver, nowUs: () => runtime.nowUs(), openWriter }
    return new BranchAppender(context, at, this.signed.manifest)
  }

  /** Committed entries. */
  get size(): number {
    return this.store.state(this.name, MAIN_BRANCH)?.size ?? 0
  }

  /** Appends and waits for the answer. */
  async append(...payloads: Uint8Array[]): Promise<Ack> {
    const ack = this.appender.append(payloads, DEFAULT_TERMS)
    await this.settle()
    return ack
  }

  openVerified(): VerifiedBranch {
    const key = manifestKey(this.signed.manifest, 'writer')
    return new VerifiedBranch(this.store, this.name, MAIN_BRANCH, key)
  }

  /** Turns the event loop until nothing is left to do, ending syncs off the thread. */
  async settle(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      this.loop.turn()
      await flushMicrotasks()
      if (this.loop.pendingSyncs > 0) await this.loop.finishSync()
    }
  }

  #create(): void {
    const first = createFirstInstance(this.name, MAIN_BRANCH, this.runtime)
    this.anchor.write(first.anchor)
    const { name, signed } = this.signed
    void this.driver.submit([{ type: 'manifest', name, signed }, first.note])
    this.loop.turn()
  }
}

function createManifest(owner: Signer, writer: Signer, blind: boolean): Manifest {
  return {
    type: 'capsule',
    version: 1,
    keys: [
      { alg: 'ed25519', key: owner.publicKey, use: 'owner' },
      { alg: 'ed25519', key: writer.publicKey, use: 'writer' },
    ],
    mode: 'strict',
    nonce: new Uint8Array(16),
    timeUs: 1,
    policy: { read: 'any', hold: 'any', carry: 'any', exclude: [], copies: 1 },
    blind,
    authority: null,
    labels: {},
    crit: [],
    ext: new Map(),
  }
}
