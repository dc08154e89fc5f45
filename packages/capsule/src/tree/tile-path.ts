/**
 * Tile paths of C2SP tlog-tiles: `tile/<level>/<n>[.p/<width>]`.
 *
 * n is written in groups of three digits, all but the last with an `x` before them: 1234067 is
 * `x001/x234/067`. Each tile has exactly one path; every other spelling is refused.
 *
 * Rule TR11 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { VerificationError } from '../errors.ts'
import { INTEGER_MAX } from '../limits.ts'
import { entriesPerHash, isSize, TILE_LEVEL_MAX, TILE_WIDTH } from './tree-shape.ts'

/** Level of a tile, or the bundles of entries that lie below the tiles of level 0. */
export type TileLevel = number | 'entries'

export interface TilePath {
  readonly level: TileLevel
  readonly n: number
  /** 1 to 256; 256 is a full tile. */
  readonly width: number
}

/** Longer than any path that `tilePath` makes. */
const TILE_PATH_CHARS_MAX = 64

const TILE_PATH = /^tile\/(entries|[0-9])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/

/** `tile/0/x001/234.p/5` for level 0, n 1234, width 5. A full tile (width 256) has no `.p/`. */
export function tilePath(level: TileLevel, n: number, width: number): string {
  assert(isTile(level, n, width), 'a tile of a tree of at most 2^53 - 1 entries')
  let groups = lastThreeDigits(n)
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups = `x${lastThreeDigits(rest)}/${groups}`
  }
  return `tile/${level}/${groups}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/**
 * The tile that `path` names.
 *
 * @throws {VerificationError} `EXPORT_INVALID` unless `path` is exactly what `tilePath` would make.
 */
export function parseTilePath(path: string): TilePath {
  const match = path.length <= TILE_PATH_CHARS_MAX ? TILE_PATH.exec(path) : null
  if (match === null) throw invalidPath()
  const [, level = '', groups = '', width] = match
  const tile: TilePath = {
    level: level === 'entries' ? level : Number(level),
    n: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  const isCanonical =
    isTile(tile.level, tile.n, tile.width) && tilePath(tile.level, tile.n, tile.width) === path
  if (!isCanonical) throw invalidPath()
  return tile
}

function lastThreeDigits(n: number): string {
  return String(n % 1000).padStart(3, '0')
}

/** True if a tree of at most 2^53 - 1 entries can have this tile. */
function isTile(level: TileLevel, n: number, width: number): boolean {
  const height = level === 'entries' ? 0 : level
  if (!isSize(height) || height > TILE_LEVEL_MAX || !isSize(n)) return false
  if (!isSize(width) || width < 1 || width > TILE_WIDTH) return false
  return n * TILE_WIDTH + width <= Math.floor(INTEGER_MAX / entriesPerHash(height))
}

function invalidPath(): VerificationError {
  return new VerificationError('EXPORT_INVALID', 'not the path of a tile')
}
