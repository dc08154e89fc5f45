/**
 * Secret keys: one file per principal, 0600, the seed of 32 bytes as one line of hex.
 *
 * `<person>.key` is an owner key, `<capsule>.key` the capsule's writer key. A key is written and
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
  parseHex,
  parseName,
  SEED_BYTES,
  type Signer,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { toWritingError } from './file-error.ts'
import { syncDirectory } from './node-disk.ts'

/** 64 hex digits and a line feed. */
const KEY_FILE_BYTES = 65
const KEY_SUFFIX = '.key'

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
    return createSigner(this.seed(name))
  }

  /** The 32 bytes that the keys of a principal come from. Fails as `signer` does. */
  seed(name: CapsuleName): Uint8Array {
    const path = this.#path(name)
    const seed = parseSeed(readKeyFile(path, name))
    if (seed !== undefined) return seed
    throw new UnavailableError('KEY_UNREADABLE', 'the key file does not hold a key', { path })
  }

  /** Writes a new key, durably. Never replaces one. */
  add(name: CapsuleName, seed: Uint8Array): void {
    const path = this.#path(name)
    try {
      writeNewFile(path, `${formatHex(seed)}\n`)
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

/** The 32 bytes of a key file's text; undefined for anything but the one spelling. */
function parseSeed(text: string): Uint8Array | undefined {
  if (text.length !== KEY_FILE_BYTES || !text.endsWith('\n')) return undefined
  const hex = text.slice(0, 2 * SEED_BYTES)
  return /^[0-9a-f]*$/.test(hex) ? parseHex(hex) : undefined
}

function readKeyFile(path: string, name: CapsuleName): string {
  try {
    const stat = fs.statSync(path)
    if (!stat.isFile()) throw new Error('not a file')
    return stat.size === KEY_FILE_BYTES ? fs.readFileSync(path, 'latin1') : ''
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
