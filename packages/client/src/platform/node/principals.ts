/**
 * Making identities and capsules: keys first, then the anchor, then the manifest, each durable
 * before the next, so that a crash leaves at most a key that nothing was signed with.
 *
 * An identity is a person's manifest with an owner key, and an authority capsule of the same
 * owner that will carry amendments and revocations. Its capsules share the owner key and have a
 * writer key each (F1). A post-quantum identity has an ML-DSA-44 key beside its Ed25519 key, and
 * can give its capsules' writers one (F4). Rules HM17-HM19 and HM60 of docs/spec/home.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  compareBytes,
  createSigner,
  formatName,
  MAIN_BRANCH,
  type Manifest,
  type ManifestKey,
  manifestKeysOf,
  openManifest,
  POLICY_COPIES_MAX,
  POLICY_NAMES_MAX,
  type Policy,
  type PrincipalType,
  SEED_BYTES,
  type SignedManifest,
  type Signer,
  signManifest,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import {
  createFirstInstance,
  type Runtime,
  type StoreOp,
  type StoreReader,
} from '@longshore/engine'
import type { CreateOptions, IdentityInfo, IdentityOptions } from '../../home.ts'
import type { WriteDriver } from '../../write-driver.ts'
import type { AnchorDirectory } from './anchor-directory.ts'
import { type HomeConfig, writeConfig } from './home-config.ts'
import type { KeyStore, RoleSeeds } from './key-store.ts'
import type { WriterLock } from './writer-lock.ts'

const NONCE_BYTES = 16
/** Under which label of a person's manifest the person is called. */
const NAME_LABEL = 'name'

export interface PrincipalsContext {
  readonly store: StoreReader
  readonly driver: WriteDriver
  readonly keys: KeyStore
  readonly anchors: AnchorDirectory
  readonly writerLock: WriterLock
  readonly runtime: Runtime
  readonly configPath: string
}

/** A capsule that is about to exist: its keys and anchor are durable, its manifest is not. */
interface PreparedCapsule {
  readonly signed: SignedManifest
  readonly ops: readonly StoreOp[]
}

export class Principals {
  readonly #context: PrincipalsContext
  #config: HomeConfig
  /** One creation of the default identity, however many callers wait for it. */
  #creatingDefault: Promise<IdentityInfo> | undefined

  constructor(context: PrincipalsContext, config: HomeConfig) {
    this.#context = context
    this.#config = config
  }

  async createCapsule(options: CreateOptions): Promise<CapsuleName> {
    const isPostQuantum = options.postQuantum === true
    const person = options.identity ?? (await this.#defaultIdentity(isPostQuantum))
    const { owner, authority } = this.#openIdentity(person)
    if (isPostQuantum && owner.mlDsa44 === undefined) {
      const message = 'the identity has no ML-DSA-44 key: make one that has, or choose another'
      throw new UsageError('KEY_MISSING', message, { name: formatName(person) })
    }
    const { signed, ops } = this.#prepareCapsule(owner, {
      authority,
      blind: options.blind === true,
      isPublic: options.public === true,
      labels: options.labels ?? {},
      isPostQuantum,
      policy: createPolicy(options),
    })
    await this.#commit(ops, [signed.name])
    return signed.name
  }

  async createIdentity(options: IdentityOptions): Promise<IdentityInfo> {
    const { type = 'person', label, postQuantum = false } = options
    const seeds = this.#createSeeds(postQuantum)
    const owner = createSigner(seeds.seed, seeds.mlDsa44Seed)
    const authority = this.#prepareCapsule(owner, {
      authority: null,
      blind: false,
      // Whoever verifies a capsule must be able to see what its owner has revoked.
      isPublic: true,
      labels: {},
      isPostQuantum: postQuantum,
    })
    const person = signManifest(
      this.#manifest(type, manifestKeysOf(owner, 'owner'), {
        authority: authority.signed.name,
        blind: false,
        isPublic: true,
        labels: label === undefined ? {} : { [NAME_LABEL]: label },
      }),
      owner,
    )
    this.#context.keys.add(person.name, seeds)
    const manifestOp: StoreOp = { type: 'manifest', name: person.name, signed: person.signed }
    await this.#commit([...authority.ops, manifestOp], [person.name, authority.signed.name])
    if (this.#config.identity === undefined && type === 'person') {
      this.#config = { ...this.#config, identity: person.name }
      writeConfig(this.#context.configPath, this.#config)
    }
    return describeIdentity(person, this.#config.identity)
  }

  /** `postQuantum` counts if there is none yet. */
  async #defaultIdentity(postQuantum: boolean): Promise<CapsuleName> {
    if (this.#config.identity !== undefined) return this.#config.identity
    this.#creatingDefault ??= this.createIdentity({ postQuantum }).finally(() => {
      this.#creatingDefault = undefined
    })
    return (await this.#creatingDefault).name
  }

  #openIdentity(person: CapsuleName): { owner: Signer; authority: CapsuleName } {
    const signed = this.#context.store.manifest(person)
    if (signed === undefined) {
      const details = { name: formatName(person), type: 'person' }
      throw new UnavailableError('NOT_FOUND', 'this home does not know the identity', details)
    }
    const opened = openManifest(signed, person)
    const { manifest } = opened
    if (manifest.type === 'capsule' || manifest.authority === null) {
      throw new UsageError('USAGE', 'this name is not an identity', { name: formatName(person) })
    }
    return { owner: this.#context.keys.ownerSigner(opened), authority: manifest.authority }
  }

  #createSeeds(isPostQuantum: boolean): RoleSeeds {
    const { runtime } = this.#context
    const seed = runtime.randomBytes(SEED_BYTES)
    return isPostQuantum ? { seed, mlDsa44Seed: runtime.randomBytes(SEED_BYTES) } : { seed }
  }

  #prepareCapsule(owner: Signer, terms: CapsuleTerms): PreparedCapsule {
    const { keys, anchors, runtime, writerLock } = this.#context
    writerLock.require()
    const seeds = this.#createSeeds(terms.isPostQuantum)
    const writer = createSigner(seeds.seed, seeds.mlDsa44Seed)
    const manifest = this.#manifest(
      'capsule',
      [...manifestKeysOf(owner, 'owner'), ...manifestKeysOf(writer, 'writer')],
      terms,
    )
    const signed = signManifest(manifest, owner)
    const { name } = signed
    keys.add(name, seeds)
    const first = createFirstInstance(name, MAIN_BRANCH, runtime)
    const slot = anchors.slot(name, MAIN_BRANCH)
    try {
      slot.write(first.anchor)
    } catch (error) {
      keys.remove(name)
      throw error
    } finally {
      slot.close()
    }
    return { signed, ops: [{ type: 'manifest', name, signed: signed.signed }, first.note] }
  }

  /** Forgets keys and anchors again if the manifests could not be stored. */
  async #commit(ops: readonly StoreOp[], names: readonly CapsuleName[]): Promise<void> {
    try {
      await this.#context.driver.submit(ops)
    } catch (error) {
      // Still alive: it was refused, so nothing of it happened. Else nobody knows, and keys stay.
      this.#context.driver.checkAlive()
      for (const name of names) {
        this.#context.keys.remove(name)
        this.#context.anchors.slot(name, MAIN_BRANCH).remove()
      }
      throw error
    }
  }

  #manifest(type: PrincipalType, keys: readonly ManifestKey[], terms: ManifestTerms): Manifest {
    const { policy = createPolicy({ public: terms.isPublic }) } = terms
    return {
      type,
      version: 1,
      keys,
      mode: 'strict',
      nonce: this.#context.runtime.randomBytes(NONCE_BYTES),
      timeUs: this.#context.runtime.nowUs(),
      policy,
      blind: terms.blind,
      authority: terms.authority,
      labels: terms.labels,
      crit: [],
      ext: new Map(),
    }
  }
}

interface ManifestTerms {
  readonly authority: CapsuleName | null
  readonly blind: boolean
  readonly isPublic: boolean
  readonly labels: Readonly<Record<string, string>>
  /** Default: anybody may hold and carry it. */
  readonly policy?: Policy
}

interface CapsuleTerms extends ManifestTerms {
  /** The writer signs with ML-DSA-44 too. */
  readonly isPostQuantum: boolean
}

/**
 * Who may read, hold and carry a capsule, as its manifest says it for ever.
 *
 * @throws {UsageError} `USAGE` for too many copies or domains
 */
function createPolicy(options: CreateOptions): Policy {
  const { copies = 1, exclude = [], hold, carry, read } = options
  if (!(Number.isSafeInteger(copies) && copies >= 1 && copies <= POLICY_COPIES_MAX)) {
    throw new UsageError('USAGE', `a policy asks for 1 to ${POLICY_COPIES_MAX} copies`, { copies })
  }
  if (options.public === true && read !== undefined) {
    throw new UsageError('USAGE', 'what anybody may read is not for some domains only')
  }
  for (const list of [exclude, hold, carry, read]) {
    if ((list?.length ?? 0) <= POLICY_NAMES_MAX) continue
    throw new UsageError('USAGE', `a policy names at most ${POLICY_NAMES_MAX} domains in a list`)
  }
  return {
    read: options.public === true ? 'any' : sortedNames(read ?? []),
    hold: hold === undefined ? 'any' : sortedNames(hold),
    carry: carry === undefined ? 'any' : sortedNames(carry),
    exclude: sortedNames(exclude),
    copies,
  }
}

/** As a manifest lists them: ascending, each once. */
function sortedNames(names: readonly CapsuleName[]): CapsuleName[] {
  return names
    .toSorted(compareBytes)
    .filter((name, i, all) => i === 0 || !bytesEqual(name, all[i - 1] as CapsuleName))
}

/** A person's manifest as applications see it. */
export function describeIdentity(
  person: SignedManifest,
  defaultIdentity: CapsuleName | undefined,
): IdentityInfo {
  const text = formatName(person.name)
  const { authority, labels, timeUs } = person.manifest
  if (authority === null) throw new UsageError('USAGE', 'an identity has an authority capsule')
  const isDefault = defaultIdentity !== undefined && formatName(defaultIdentity) === text
  return { name: person.name, text, label: labels[NAME_LABEL], authority, timeUs, isDefault }
}
