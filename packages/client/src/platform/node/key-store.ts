/**
 * Secret keys: one file per principal, 0600, each seed of 32 bytes as one line of hex.
 *
 *     <Ed25519 seed, 64 hex digits>
 *     <ML-DSA-44 seed, 64 hex digits>       if the role has such a key
 *
 * `<person>.key` is an owner's, `<capsule>.key` the capsule's writer's. A key is written and
 * synced before anything signed with it exists. Rules HM7-HM8 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type CapsuleName,
  createSigner,
  formatHex,
  formatName,
  isLongshoreError,
  manifestKey,
  parseHex,
  parseName,
  roleKeysEqual,
  SEED_BYTES,
  type SignedManifest,
  type Signer,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { toWritingError } from './file-error.ts'
import { syncDirectory } from './node-disk.ts'

/** One line or two. */
const KEY_FILE = /^([0-9a-f]{64})\n(?:([0-9a-f]{64})\n)?$/
const KEY_FILE_BYTES_MAX = 2 * (2 * SEED_BYTES + 1)
const KEY_SUFFIX = '.key'

/** The secrets of one role. */
export interface RoleSeeds {
  readonly seed: Uint8Array
  /** For a role that signs with ML-DSA-44 too. */
  readonly mlDsa44Seed?: Uint8Array
}

export class KeyStore {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  has(name: CapsuleName): boolean {
    return fs.existsSync(this.#path(name))
  }

  /** Of whom this home has a key; files with other names are passed over. */
  names(): CapsuleName[] {
    const names: CapsuleName[] = []
    for (const file of fs.readdirSync(this.#directory)) {
      if (!file.endsWith(KEY_SUFFIX)) continue
      try {
        names.push(parseName(file.slice(0, -KEY_SUFFIX.length)))
      } catch (error) {
        if (!isLongshoreError(error)) throw error
      }
    }
    return names
  }

  /**
   * The signer of a principal.
   *
   * @throws {UsageError} `KEY_MISSING` if this home has no key of that name.
   * @throws {UnavailableError} `KEY_UNREADABLE` if the file cannot be read or is no key.
   */
  signer(name: CapsuleName): Signer {
    const { seed, mlDsa44Seed } = this.seeds(name)
    return createSigner(seed, mlDsa44Seed)
  }

  /**
   * The signer of an owner. Fails as `signer` does, and with `KEY_UNREADABLE` if the file holds
   * another key: what that signs the owner does not own.
   */
  ownerSigner({ name, manifest }: SignedManifest): Signer {
    const signer = this.signer(name)
    if (!roleKeysEqual(signer.key, manifestKey(manifest, 'owner'))) {
      const path = this.#path(name)
      throw new UnavailableError('KEY_UNREADABLE', 'the key file holds another key', { path })
    }
    return signer
  }

  /** The secrets, for a principal that derives keys from them. Fails as `signer` does. */
  seeds(name: CapsuleName): RoleSeeds {
    const path = this.#path(name)
    const [, seed, mlDsa44] = KEY_FILE.exec(readKeyFile(path, name)) ?? []
    if (seed === undefined) {
      throw new UnavailableError('KEY_UNREADABLE', 'the key file does not hold a key', { path })
    }
    const first = { seed: parseHex(seed) as Uint8Array }
    return mlDsa44 === undefined
      ? first
      : { ...first, mlDsa44Seed: parseHex(mlDsa44) as Uint8Array }
  }

  /** Writes new keys, durably. Never replaces any. */
  add(name: CapsuleName, { seed, mlDsa44Seed }: RoleSeeds): void {
    const path = this.#path(name)
    const seeds = mlDsa44Seed === undefined ? [seed] : [seed, mlDsa44Seed]
    try {
      writeNewFile(path, seeds.map((bytes) => `${formatHex(bytes)}\n`).join(''))
    } catch (error) {
      throw toWritingError(path, error)
    }
  }

  /** Forgets a key that nothing was signed with; for a creation that did not come about. */
  remove(name: CapsuleName): void {
    fs.rmSync(this.#path(name), { force: true })
  }

  #path(name: CapsuleName): string {
    return join(this.#directory, `${formatName(name)}${KEY_SUFFIX}`)
  }
}

function readKeyFile(path: string, name: CapsuleName): string {
  try {
    const stat = fs.statSync(path)
    if (!stat.isFile()) throw new Error('not a file')
    return stat.size <= KEY_FILE_BYTES_MAX ? fs.readFileSync(path, 'latin1') : ''
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      const text = formatName(name)
      throw new UsageError('KEY_MISSING', 'this home has no key for it', { name: text })
    }
    const reason = (error as Error).message
    throw new UnavailableError(
      'KEY_UNREADABLE',
      `cannot read the key file: ${reason}`,
      { path },
      { cause: error },
    )
  }
}

function writeNewFile(path: string, text: string): void {
  const fd = fs.openSync(path, 'wx', 0o600)
  try {
    fs.writeFileSync(fd, text)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  syncDirectory(dirname(path))
}
