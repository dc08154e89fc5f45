/**
 * An exported directory, offline: C2SP tlog-tiles with the manifest and the payloads beside it.
 * Everything is read into memory; this is a check, not a product.
 *
 * @module
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeText } from './cbor.ts'
import { checkControlPlace } from './control.ts'
import { checkBody, type OpenedHeader, readHeader } from './header.ts'
import { openManifest } from './manifest.ts'
import { capsuleOrigin } from './name.ts'
import { openCheckpoint } from './note.ts'
import { refuse, require } from './refuse.ts'
import { leafHash, rootOf, same } from './tree.ts'

export interface OpenedDirectory {
  readonly name: Uint8Array
  readonly owner: Uint8Array
  readonly size: number
  readonly root: Uint8Array
  /** By index; undefined where the capsule says that the payload was erased. */
  readonly payloads: readonly (Uint8Array | undefined)[]
}

const TILE_WIDTH = 256
const MAIN_BRANCH = new Uint8Array(0)

/** Paths of all files below `directory`. Nothing but directories and regular files may be there. */
function listFiles(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`
    const stat = lstatSync(join(directory, path))
    if (stat.isDirectory()) return listFiles(directory, path)
    return stat.isFile() ? [path] : refuse(`neither file nor directory: ${path}`)
  })
}

/** `tile/<level>/<n>`: n in groups of three digits, all but the last with an x before them. */
function tilePath(level: number | 'entries', n: number, width: number): string {
  const digits = String(n)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group))
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`
  return `tile/${level}/${path.join('/')}${partial}`
}

/** [position, width] of the tiles over `count` hashes. */
function tilesOver(count: number): [n: number, width: number][] {
  return Array.from({ length: Math.ceil(count / TILE_WIDTH) }, (_, n) => {
    return [n, Math.min(TILE_WIDTH, count - n * TILE_WIDTH)]
  })
}

class Export {
  readonly #directory: string
  readonly #unseen: Set<string>

  constructor(directory: string) {
    this.#directory = directory
    this.#unseen = new Set(listFiles(directory))
  }

  /** The bytes of a file that belongs to the export. */
  read(path: string): Uint8Array {
    this.#unseen.delete(path)
    try {
      return new Uint8Array(readFileSync(join(this.#directory, path)))
    } catch {
      return refuse(`missing: ${path}`)
    }
  }

  /** Every file must have been read. */
  checkComplete(): void {
    const [extra] = this.#unseen
    require(extra === undefined, `does not belong here: ${extra}`)
  }
}

export function openDirectory(directory: string, expected?: Uint8Array): OpenedDirectory {
  const files = new Export(directory)
  const { name, keys, secondKeys } = openManifest(files.read('manifest.cbor'), 'capsule')
  require(expected === undefined || same(expected, name), 'another capsule')
  const origin = capsuleOrigin(name, MAIN_BRANCH)
  const note = decodeText(files.read('checkpoint'))
  const { size, root } = openCheckpoint(
    note,
    origin,
    keys.get('writer')!,
    [],
    secondKeys.get('writer'),
  )
  const entries = tilesOver(size).flatMap(([n, width]) => {
    return splitBundle(files.read(tilePath('entries', n, width)), width)
  })
  const leaves = entries.map(leafHash)
  require(same(rootOf(leaves), root), 'the entries have another root')
  checkTiles(files, leaves)
  const payloads = readPayloads(files, entries.map(readHeader))
  files.checkComplete()
  return { name, owner: keys.get('owner')!, size, root, payloads }
}

/** Entries of a bundle, each after its length in two bytes. */
function splitBundle(bundle: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < count) {
    require(at + 2 <= bundle.length, 'a bundle ends too early')
    const end = at + 2 + bundle[at]! * 256 + bundle[at + 1]!
    require(end <= bundle.length, 'a bundle ends too early')
    entries.push(bundle.slice(at + 2, end))
    at = end
  }
  require(at === bundle.length, 'bytes after the last entry of a bundle')
  return entries
}

/** Level by level: each hash of a level is the root of a full tile below it. */
function checkTiles(files: Export, leaves: readonly Uint8Array[]): void {
  let hashes = leaves
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Uint8Array[] = []
    for (const [n, width] of tilesOver(hashes.length)) {
      const tile = hashes.slice(n * TILE_WIDTH, n * TILE_WIDTH + width)
      const path = tilePath(level, n, width)
      require(same(files.read(path), Buffer.concat(tile)), `other hashes: ${path}`)
      if (width === TILE_WIDTH) above.push(rootOf(tile))
    }
    hashes = above
  }
}

function readPayloads(files: Export, headers: readonly OpenedHeader[]): (Uint8Array | undefined)[] {
  const erased = new Set<number>()
  for (const [index, { control }] of headers.entries()) {
    checkControlPlace(control, MAIN_BRANCH, index)
    for (const [start, end] of control?.erased ?? []) {
      for (let target = start; target < end; target += 1) erased.add(target)
    }
  }
  return headers.map((header, index) => {
    if (erased.has(index)) return undefined
    const path = `payload/${Buffer.from(header.payloadHash).toString('hex')}`
    return checkBody(header, files.read(path))
  })
}
