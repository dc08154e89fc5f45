/** Roots and tiles of RFC 9162 trees over entries that every language can make again. */
import { concat, sha256, utf8 } from './bytes.mjs'
import { leafHash, listTree } from './merkle.mjs'
import { VectorFile } from './vector-file.mjs'

/** Leaf hash of entry `index` of all list trees in the vectors: the text "entry N". */
export const NUMBERED_LEAVES = Array.from({ length: 70000 }, (_, index) => {
  return leafHash(utf8(`entry ${index}`))
})
/** A range of the first 70000 entries; a tree of any smaller size begins the same way. */
export const numberedTree = listTree(NUMBERED_LEAVES)

/** Path of a tile by C2SP tlog-tiles: index in groups of three digits, all but the last with x. */
function tilePath(level, n, width) {
  const digits = String(n)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g)
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${path}${width === 256 ? '' : `.p/${width}`}`
}

/** Every tile of a tree: level, n, width and bytes, straight from the definition. */
function tilesOf(tree, size) {
  const tiles = []
  for (let level = 0, count = size; count > 0; level += 1) {
    const span = 256 ** level
    for (let n = 0; n * 256 < count; n += 1) {
      const width = Math.min(256, count - n * 256)
      const hashes = Array.from({ length: width }, (_, i) => {
        return tree((n * 256 + i) * span, (n * 256 + i + 1) * span)
      })
      tiles.push({ level, n, width, bytes: concat(...hashes) })
    }
    count = Math.floor(count / 256)
  }
  return tiles
}

function addRoots(file) {
  const sizes = [...Array(34).keys(), 63, 64, 65, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537]
  for (const size of [...sizes, 70000]) {
    file.valid(`root-${size}`, 'root of the first entries', {
      kind: 'root',
      size,
      root: numberedTree(0, size),
    })
  }
}

function addTiles(file) {
  for (const size of [1, 2, 255, 256, 257, 512, 700, 70000]) {
    const tiles = tilesOf(numberedTree, size)
    const listed = tiles.map(({ level, n, width, bytes }) => {
      return [tilePath(level, n, width), sha256(bytes)]
    })
    const digest = sha256(
      utf8(listed.map(([path, hash]) => `${path} ${Buffer.from(hash).toString('hex')}\n`).join('')),
    )
    const few = listed.length < 8 ? listed : [...listed.slice(0, 2), ...listed.slice(-4)]
    file.valid(
      `tiles-${size}`,
      'all tiles: how many, some with their SHA-256, and one digest over the lines "path sha256" of all',
      {
        kind: 'tiles',
        size,
        count: listed.length,
        tiles: few,
        digest,
      },
    )
  }
}

const PATHS = [
  [0, 0, 256],
  [0, 0, 1],
  [0, 0, 255],
  [0, 273, 112],
  [1, 1, 17],
  [2, 0, 1],
  [0, 999, 256],
  [0, 1000, 256],
  [0, 1234067, 256],
  [6, 0, 1],
  [0, 999999, 5],
  [0, 1000000, 5],
  ['entries', 0, 256],
  ['entries', 1234067, 3],
]

const BAD_PATHS = [
  '',
  'tile',
  'tile/0',
  'tile/0/',
  'tile/0/0',
  'tile/0/00',
  'tile/0/0000',
  'tile/0/1000',
  'tile/0/x000/001',
  'tile/0/001/234',
  'tile/0/x001/x234',
  'tile/0/x01/234',
  'tile/0/001.p',
  'tile/0/001.p/',
  'tile/0/001.p/0',
  'tile/0/001.p/256',
  'tile/0/001.p/01',
  'tile/0/001.p/1a',
  'tile/0/001.p/-1',
  'tile/00/001',
  'tile/64/001',
  'tile/-1/001',
  'tile/a/001',
  'tile/0/00a',
  'tile/0/001/',
  '/tile/0/001',
  'tile//0/001',
  'tile/0/../001',
  'tile/entry/001',
  'tile/0/X001/234',
  'tile/0/001.P/5',
  'tile/0/001.p/5/',
  'tile/0/001 ',
  'Tile/0/001',
  'tile/0/\uff10\uff10\uff11',
]

function addPaths(file) {
  for (const [level, n, width] of PATHS) {
    const path = tilePath(level, n, width)
    file.valid(`path-${level}-${n}-${width}`, 'path of a tile', {
      kind: 'path',
      level,
      n,
      width,
      path,
    })
  }
  for (const path of BAD_PATHS) {
    file.invalid(`bad-path-${path}`, 'not the path of a tile', 'EXPORT_INVALID', {
      kind: 'path',
      path,
    })
  }
}

export function treeVectors() {
  const file = new VectorFile(
    'tree',
    'RFC 9162 trees. Entry i is the text "entry i" (its leaf hash is SHA-256(00, text)). kind root: the root at size; kind tiles: C2SP tlog-tiles; kind path: path of one tile.',
  )
  addRoots(file)
  addTiles(file)
  addPaths(file)
  return file
}
