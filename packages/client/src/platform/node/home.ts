/**
 * `openHome`: a home on this machine.
 *
 * What it means to hold one, and what happens beside a holder, is `home-access.ts`.
 * Rules HM1-HM6, HM20-HM23 of docs/spec/home.md.
 *
 * @module
 */
import { resolve } from 'node:path'
import {
  type CapsuleName,
  formatName,
  isLongshoreError,
  type LongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openManifest,
  parseBase64,
  parseName,
  roleKeysEqual,
  type SignedManifest,
  UnavailableError,
  UsageError,
  type VerificationError,
  verifyEquivocation,
} from '@longshore/capsule'
import {
  committedHead,
  type DiskStore,
  LocalCopy,
  type Runtime,
  runSlices,
} from '@longshore/engine'
import type { Capsule, ExportReport } from '../../capsule.ts'
import { type CapsuleContext, CapsuleHandle } from '../../capsule-handle.ts'
import { type CommitSignal, checkNotAborted } from '../../commit-signal.ts'
import type {
  AdmitOptions,
  BackupReport,
  CapsuleInfo,
  CompactReport,
  CreateOptions,
  FsckReport,
  Home,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
  OpenHomeOptions,
  UsageReport,
} from '../../home.ts'
import type { HomeWriter } from '../../home-writer.ts'
import { ConnectedHome } from '../../network/connected-home.ts'
import type { Owner } from '../../network/grant.ts'
import type { RemoteOptions } from '../../network/home-network.ts'
import { admitToDomain } from './admit-to-domain.ts'
import { checkHome } from './check-home.ts'
import { EvidenceFiles } from './evidence-files.ts'
import { exportTiles } from './export-tiles.ts'
import { withWriting } from './file-error.ts'
import { HomeAccess } from './home-access.ts'
import { readConfig } from './home-config.ts'
import { createHomeDirectories, type HomePaths, homeExists, homePaths } from './home-layout.ts'
import { KeyStore } from './key-store.ts'
import type { LiveReader } from './live-reader.ts'
import { measureIndex } from './lmdb-index.ts'
import { inTurns, isDamaged } from './mend-capsule.ts'
import { openNodeNetwork } from './node-network.ts'
import { createNodeRuntime } from './node-runtime.ts'
import { describeIdentity } from './principals.ts'
import { handOver } from './take-in.ts'

/**
 * Opens a home; makes it where there is none.
 *
 * @throws {UnavailableError} `HOME_UNREADABLE`, `LOCKED` (its holder does not answer),
 * `STORE_CORRUPT`, `NOT_FOUND` (only with `create: false` or `readOnly`), `ABORTED`
 *
 * @example
 * await using home = await openHome()
 * await using capsule = await home.create({ labels: { sensor: 'door-1' } })
 * const ack = await capsule.append('open')
 * const receipt = await capsule.receipt(ack.index)
 */
export async function openHome(options: OpenHomeOptions = {}): Promise<Home> {
  const { readOnly = false, create = !readOnly, signal } = options
  checkNotAborted(signal)
  const paths = homePaths(options.path)
  if (!homeExists(paths)) {
    if (!create) {
      const message = `there is no home at ${paths.home}`
      throw new UnavailableError('NOT_FOUND', message, { path: paths.home })
    }
    createHomeDirectories(paths)
  }
  const runtime = createNodeRuntime()
  const access = new HomeAccess(paths, runtime, readOnly)
  await access.open(signal)
  return new NodeHome(paths, access, runtime)
}

class NodeHome implements Home, CapsuleContext {
  readonly path: string
  readonly reader: LiveReader
  readonly commits: CommitSignal
  readonly #paths: HomePaths
  readonly #access: HomeAccess
  readonly #keys: KeyStore
  readonly #evidence: EvidenceFiles
  readonly network: ConnectedHome
  readonly #runtime: Runtime

  constructor(paths: HomePaths, access: HomeAccess, runtime: Runtime) {
    this.path = paths.home
    this.reader = access.reader
    this.commits = access.commits
    this.#paths = paths
    this.#access = access
    this.#keys = new KeyStore(paths.keys)
    this.#evidence = new EvidenceFiles(paths.evidence)
    this.#runtime = runtime
    this.network = new ConnectedHome({
      reader: this.reader,
      commits: this.commits,
      refresh: () => this.refresh(),
      canWrite: this.role !== 'reader',
      writer: () => this.writer(),
      openNetwork: async (tickets) => openNodeNetwork({ runtime: this.#runtime, tickets }),
      nowUs: () => this.#runtime.nowUs(),
      randomBytes: (byteLength) => this.#runtime.randomBytes(byteLength),
      conviction: (name) => this.#evidence.conviction(name),
      convict: (name, bytes) => this.#evidence.convict(name, bytes),
      ownerOf: (capsule) => this.#ownerOf(capsule),
      takeIn: async ({ signed }, entries) => {
        const writer = await this.writer()
        await handOver(entries, (file) => writer.takeIn(signed, file))
        this.refresh()
      },
      isDamaged: async (name) => {
        this.refresh()
        return isDamaged(this.#store(), name)
      },
      findDamage: (name) => inTurns(new LocalCopy(this.reader, name, MAIN_BRANCH).findDamage()),
      mend: async ({ signed }, entries) => {
        const writer = await this.writer()
        await handOver(entries, (file) => writer.mend(signed, file))
        this.refresh()
      },
    })
  }

  get role(): 'holder' | 'guest' | 'reader' {
    return this.#access.role
  }

  async identities(): Promise<IdentityInfo[]> {
    const known = readConfig(this.#paths.config)?.identity
    const identities: IdentityInfo[] = []
    for (const person of this.#readable()) {
      const { type } = person.manifest
      // Domains and nodes have keys and authorities too, and own no capsules of applications.
      if (type !== 'person' && type !== 'organisation') continue
      if (!this.#keys.has(person.name)) continue
      identities.push(describeIdentity(person, known))
    }
    return identities.sort(byTime)
  }

  async createIdentity(options: IdentityOptions = {}): Promise<IdentityInfo> {
    const writer = await this.writer()
    return writer.createIdentity(options)
  }

  async admit(options: AdmitOptions): Promise<string> {
    this.refresh()
    return admitToDomain(this.reader, this.#keys, createNodeRuntime(), options)
  }

  async create(options: CreateOptions = {}): Promise<Capsule> {
    const writer = await this.writer()
    return this.open(await writer.create(options))
  }

  async open(name: CapsuleName | string, options: RemoteOptions = {}): Promise<Capsule> {
    const bytes = typeof name === 'string' ? parseName(name) : name
    this.refresh()
    const signed = this.reader.manifest(bytes)
    if (signed === undefined && this.network.tickets().length > 0) {
      return this.network.open(bytes, options)
    }
    if (signed === undefined) {
      const details = { name: formatName(bytes) }
      throw new UnavailableError('NOT_FOUND', 'this home does not know the capsule', details)
    }
    const opened = openManifest(signed, bytes)
    const { type } = opened.manifest
    if (type !== 'capsule') {
      const details = { name: formatName(bytes), type }
      throw new UsageError('USAGE', `this is the name of a ${type}, not of a capsule`, details)
    }
    return new CapsuleHandle(this, opened)
  }

  async has(name: CapsuleName | string): Promise<boolean> {
    this.refresh()
    return this.reader.manifest(typeof name === 'string' ? parseName(name) : name) !== undefined
  }

  async list(): Promise<CapsuleInfo[]> {
    const infos: CapsuleInfo[] = []
    const damaged: CapsuleInfo[] = []
    for (const { name, principal } of this.#principals()) {
      const size = this.#sizeOf(name)
      if (isLongshoreError(principal)) damaged.push(infoOfDamaged(name, size, principal))
      else infos.push(this.#infoOf(principal, size))
    }
    return [...infos.sort(byTime), ...damaged]
  }

  #infoOf({ name, manifest }: SignedManifest, size: number): CapsuleInfo {
    return {
      name,
      text: formatName(name),
      type: manifest.type,
      size,
      labels: manifest.labels,
      timeUs: manifest.timeUs,
      writable: manifest.type === 'capsule' && this.#keys.has(name),
      authority: manifest.authority,
      problem: undefined,
    }
  }

  /** 0 if its head cannot be read. */
  #sizeOf(name: CapsuleName): number {
    try {
      return committedHead(this.reader, name, MAIN_BRANCH)?.size ?? 0
    } catch (error) {
      if (isLongshoreError(error)) return 0
      throw error
    }
  }

  async importTiles(
    directory: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ImportReport> {
    const writer = await this.writer()
    try {
      return await writer.importTiles(resolve(directory), options.signal)
    } catch (error) {
      throw this.#kept(error)
    }
  }

  async backup(file: string): Promise<BackupReport> {
    const writer = await this.writer()
    return writer.backup(resolve(file))
  }

  async compact(): Promise<CompactReport> {
    const writer = await this.writer()
    return writer.compact()
  }

  async fsck(options: { readonly repair?: boolean } = {}): Promise<FsckReport> {
    const { following } = this.#access
    if (this.role === 'reader' && following !== undefined) {
      return runSlices(
        checkHome({ store: following.store, keys: this.#keys, paths: this.#paths }, false),
      )
    }
    const writer = await this.writer()
    return writer.fsck(options.repair === true)
  }

  async usage(): Promise<UsageReport> {
    const infos = await this.list()
    return {
      journalBytes: this.#store().usage().journalBytes,
      indexBytes: measureIndex(this.#paths.index),
      capsuleCount: infos.filter(({ type = 'capsule' }) => type === 'capsule').length,
      entryCount: infos.reduce((sum, { size }) => sum + size, 0),
    }
  }

  async reclaimableBytes(): Promise<number> {
    this.refresh()
    return this.#store().reclaimableBytes()
  }

  async close(): Promise<void> {
    await this.network.close()
    await this.#access.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  refresh(): void {
    this.#access.refresh()
  }

  writer(): Promise<HomeWriter> {
    return this.#access.writer()
  }

  writerNow(): HomeWriter | undefined {
    return this.#access.writerNow()
  }

  hasKey(name: CapsuleName): boolean {
    return this.#keys.has(name)
  }

  defer(action: () => void): void {
    setImmediate(action)
  }

  exportTiles(
    capsule: CapsuleHandle,
    directory: string,
    signal: AbortSignal | undefined,
  ): Promise<ExportReport> {
    const path = resolve(directory)
    return withWriting(path, () => exportTiles(capsule, path, signal))
  }

  conviction(name: CapsuleName): VerificationError | undefined {
    return this.#evidence.conviction(name)
  }

  /** With the file in which what it found against a writer is kept. */
  #kept(error: unknown): unknown {
    if (!isLongshoreError(error) || error.code !== 'EQUIVOCATION') return error
    const { evidence } = error.details
    if (typeof evidence !== 'string') return error
    const bytes = parseBase64(evidence)
    return bytes === undefined
      ? error
      : this.#evidence.convict(verifyEquivocation(bytes).name, bytes)
  }

  /** The person whose capsule it is, or the default identity, with the key. */
  #ownerOf(capsule: SignedManifest | undefined): Owner {
    const known = readConfig(this.#paths.config)?.identity
    if (known !== undefined) {
      const person = openManifest(this.reader.manifest(known) as Uint8Array, known)
      const isTheirs = capsule === undefined || isOwnedBy(capsule, person)
      if (isTheirs) return { person, signer: this.#keys.ownerSigner(person) }
    }
    for (const person of capsule === undefined ? [] : this.#readable()) {
      if (person.manifest.type === 'capsule' || !isOwnedBy(capsule as SignedManifest, person))
        continue
      return { person, signer: this.#keys.ownerSigner(person) }
    }
    throw new UsageError('KEY_MISSING', 'this home does not have the key of the owner')
  }

  /** As this process sees it. */
  #store(): DiskStore {
    const store = (this.#access.holding ?? this.#access.following)?.store
    if (store === undefined) throw new UnavailableError('CLOSED', 'the home was closed')
    return store
  }

  /** Every manifest of this home, verified, one after the other: there may be very many. */
  *#principals(): Iterable<Principal> {
    this.refresh()
    for (const name of this.reader.names()) {
      try {
        const signed = this.reader.manifest(name)
        if (signed === undefined) continue
        yield { name, principal: openManifest(signed, name) }
      } catch (error) {
        if (!isLongshoreError(error)) throw error
        yield { name, principal: error }
      }
    }
  }

  *#readable(): Iterable<SignedManifest> {
    for (const { principal } of this.#principals()) {
      if (!isLongshoreError(principal)) yield principal
    }
  }
}

interface Principal {
  readonly name: CapsuleName
  /** Or why its manifest cannot be read. */
  readonly principal: SignedManifest | LongshoreError
}

function infoOfDamaged(name: CapsuleName, size: number, problem: LongshoreError): CapsuleInfo {
  const nothing = { type: undefined, labels: {}, timeUs: 0, writable: false, authority: null }
  return { name, text: formatName(name), size, ...nothing, problem }
}

/** Oldest first. */
function byTime(a: { readonly timeUs: number }, b: { readonly timeUs: number }): number {
  return a.timeUs - b.timeUs
}

function isOwnedBy(capsule: SignedManifest, person: SignedManifest): boolean {
  return roleKeysEqual(
    manifestKey(capsule.manifest, 'owner'),
    manifestKey(person.manifest, 'owner'),
  )
}
