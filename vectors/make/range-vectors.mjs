/**
 * Ranges of entries as they travel: a sequence of entry packages of C2SP tlog-mirror, each with the
 * proof that it is in the tree that is being sent.
 */
import { bigEndian, concat, flipBit, utf8 } from './bytes.mjs'
import { leafHash, listTree, subtreePath } from './merkle.mjs'
import { VectorFile } from './vector-file.mjs'

/** Short texts in place of headers: packages carry the entries of any log. */
const HEADERS = Array.from({ length: 520 }, (_, index) => utf8(`entry ${index}`))
const LEAVES = HEADERS.map(leafHash)

/** The entries [start, end), proven in the tree of `size`, however they are cut. */
function packageOf(start, end, size) {
  const tree = listTree(LEAVES.slice(0, size))
  const hashes = subtreePath(tree, start - (start % 256), end, size)
  const framed = HEADERS.slice(start, end).map((header) => {
    return concat(bigEndian(header.length, 2), header)
  })
  return concat(...framed, Uint8Array.of(hashes.length), ...hashes)
}

/** [start, end) of the tree of `end` entries, cut at `cuts`. */
function rangeOf(start, end, cuts) {
  const borders = [start, ...cuts, end]
  return {
    start,
    end,
    root: listTree(LEAVES.slice(0, end))(0, end),
    prior: LEAVES.slice(start - (start % 256), start),
    packages: borders.slice(1).map((to, at) => packageOf(borders[at], to, end)),
  }
}

function refused() {
  const good = rangeOf(0, 260, [256])
  const late = rangeOf(250, 260, [256])
  const [first, second] = good.packages
  const sent = (...packages) => ({ ...good, packages })
  return [
    ['none', 'no packages for a range that has entries', 'PACKAGE_INVALID', sent()],
    ['first-missing', 'the first package left out', 'PACKAGE_INVALID', sent(second)],
    ['last-missing', 'the last package left out', 'PACKAGE_INVALID', sent(first)],
    ['one-more', 'the last package twice', 'PACKAGE_INVALID', sent(first, second, second)],
    ['exchanged', 'two packages exchanged', 'PACKAGE_INVALID', sent(second, first)],
    [
      'cut-elsewhere',
      'cut at 258 and not only at the multiples of 256',
      'PACKAGE_INVALID',
      rangeOf(0, 260, [256, 258]),
    ],
    [
      'joined',
      'entries of two tiles in one package',
      'PACKAGE_INVALID',
      sent(concat(first.slice(0, first.length - 1 - 32), second)),
    ],
    [
      'other-tree',
      'the first package from the tree of 256 entries',
      'PROOF_SHAPE',
      sent(packageOf(0, 256, 256), second),
    ],
    [
      'changed',
      'one bit of the first entry of the last package',
      'ROOT_MISMATCH',
      sent(first, flipBit(second, 5)),
    ],
    [
      'prior',
      'a leaf hash before the start that is wrong',
      'ROOT_MISMATCH',
      { ...late, prior: late.prior.with(0, flipBit(late.prior[0], 3)) },
    ],
  ]
}

export function rangeVectors() {
  const file = new VectorFile(
    'range',
    'Ranges: packages are the entry packages of [start, end), in order, of the tree of end entries with root; prior are the leaf hashes from the multiple of 256 before start up to start. Valid: each package verifies at its place and nothing is left over. Invalid: the first that does not is refused with code; a package too few or too many is PACKAGE_INVALID.',
  )
  for (const [start, end, cuts, comment] of [
    [0, 1, [], 'a tree of one entry'],
    [0, 257, [256], 'a tile and one entry'],
    [254, 258, [256], 'the border of two tiles'],
    [250, 520, [256, 512], 'the end of a tile, a whole one, the beginning of another'],
    [512, 512, [], 'nothing'],
  ]) {
    const range = start === end ? { ...rangeOf(0, end, [256]), start, packages: [] } : undefined
    file.valid(`${start}-${end}`, comment, { ...(range ?? rangeOf(start, end, cuts)) })
  }
  for (const [id, comment, code, fields] of refused()) {
    file.invalid(`bad-${id}`, comment, code, fields)
  }
  return file
}
