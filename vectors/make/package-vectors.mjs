/** Entry packages of C2SP tlog-mirror: up to 256 entries and the proof that they are in a tree. */
import { bigEndian, concat, filled, flipBit } from './bytes.mjs'
import { leafHash, listTree, subtreePath } from './merkle.mjs'
import { makeEntries } from './receipts.mjs'
import { VectorFile } from './vector-file.mjs'

const ENTRIES = makeEntries(520)
const HEADERS = ENTRIES.map(({ header }) => header)
const LEAVES = HEADERS.map(leafHash)

function packageBytes(headers, hashes, hashCount = hashes.length) {
  const framed = headers.map((header) => concat(bigEndian(header.length, 2), header))
  return concat(...framed, Uint8Array.of(hashCount), ...hashes)
}

/** The package for [start, end) of the tree of `size`; the proof is for the aligned range. */
function makePackage(start, end, size) {
  const tree = listTree(LEAVES.slice(0, size))
  const aligned = Math.floor(start / 256) * 256
  const headers = HEADERS.slice(start, end)
  const hashes = subtreePath(tree, aligned, end, size)
  return {
    start,
    end,
    size,
    root: tree(0, size),
    prior: LEAVES.slice(aligned, start),
    bytes: packageBytes(headers, hashes),
    headers,
    hashes,
  }
}

function addValid(file) {
  for (const [start, end, size, comment] of [
    [0, 1, 1, 'one entry, the whole tree'],
    [0, 7, 7, 'a small tree'],
    [3, 7, 7, 'entries 0 to 2 are already known'],
    [100, 256, 300, 'the rest of a full tile'],
    [0, 256, 300, 'a full package'],
    [256, 300, 300, 'the rest of the tree'],
    [299, 300, 300, 'the last entry'],
    [511, 512, 520, 'the last entry of a tile'],
    [512, 520, 520, 'the last range'],
  ]) {
    const { headers, hashes, ...fields } = makePackage(start, end, size)
    file.valid(`${start}-${end}-of-${size}`, comment, { ...fields, headers })
  }
}

function refusedShapes() {
  const good = makePackage(256, 261, 261)
  const { headers, hashes } = good
  const changed = (list, proof = hashes) => ({ ...good, bytes: packageBytes(list, proof) })
  const shape = 'PACKAGE_INVALID'
  return [
    ['empty', 'no bytes', shape, { ...good, bytes: new Uint8Array(0) }],
    ['truncated', 'the last byte missing', shape, { ...good, bytes: good.bytes.slice(0, -1) }],
    [
      'trailing',
      'a byte after the hashes',
      shape,
      { ...good, bytes: concat(good.bytes, filled(1, 0)) },
    ],
    [
      'hash-count-more',
      'a hash announced that is not there',
      shape,
      { ...good, bytes: packageBytes(headers, hashes, hashes.length + 1) },
    ],
    [
      'hash-count-less',
      'a hash more than announced',
      shape,
      { ...good, bytes: packageBytes(headers, hashes, hashes.length - 1) },
    ],
    [
      'hash-count-64',
      'more hashes than allowed',
      shape,
      { ...good, bytes: packageBytes(headers, Array(64).fill(hashes[0])) },
    ],
    [
      'length-more',
      'a header that reaches into the next',
      shape,
      {
        ...good,
        bytes: concat(bigEndian(headers[0].length + 1, 2), good.bytes.slice(2)),
      },
    ],
    ['length-huge', 'a header above 16 KiB', shape, changed(headers.with(0, filled(16385, 0)))],
    [
      'range-cut',
      'a package ends with its tile or with the tree',
      shape,
      omitHeaders(makePackage(256, 260, 300)),
    ],
    ['range-empty', 'a package has entries', shape, { ...good, end: 256 }],
  ]
}

/** Packages of the right shape with other entries or another proof than the tree has. */
function refusedContents() {
  const good = makePackage(256, 261, 261)
  const late = makePackage(258, 261, 261)
  const { headers, hashes } = good
  const changed = (list, proof = hashes) => ({ ...good, bytes: packageBytes(list, proof) })
  const other = HEADERS[7]
  return [
    [
      'empty-header',
      'an entry without bytes',
      'ROOT_MISMATCH',
      changed(headers.with(1, new Uint8Array(0))),
    ],
    [
      'flip-header',
      'one bit of a header',
      'ROOT_MISMATCH',
      changed(headers.with(2, flipBit(headers[2], 12))),
    ],
    [
      'swapped',
      'two entries exchanged',
      'ROOT_MISMATCH',
      changed([headers[1], headers[0], ...headers.slice(2)]),
    ],
    [
      'repeated',
      'an entry twice, another missing',
      'ROOT_MISMATCH',
      changed(headers.with(3, headers[2])),
    ],
    ['replaced', 'an entry of another place', 'ROOT_MISMATCH', changed(headers.with(0, other))],
    [
      'flip-hash',
      'one bit of the first hash',
      'ROOT_MISMATCH',
      changed(headers, hashes.with(0, flipBit(hashes[0], 31))),
    ],
    [
      'flip-last-hash',
      'one bit of the last hash',
      'ROOT_MISMATCH',
      changed(headers, hashes.with(-1, flipBit(hashes.at(-1), 0))),
    ],
    ['hash-missing', 'a hash missing', 'PROOF_SHAPE', changed(headers, hashes.slice(1))],
    ['hash-more', 'a hash too many', 'PROOF_SHAPE', changed(headers, [...hashes, filled(32, 7)])],
    ['no-hashes', 'no proof at all', 'PROOF_SHAPE', changed(headers, [])],
    ['root', 'another root', 'ROOT_MISMATCH', { ...good, root: flipBit(good.root, 0) }],
    [
      'prior',
      'a known leaf hash that is wrong',
      'ROOT_MISMATCH',
      { ...late, prior: late.prior.with(0, flipBit(late.prior[0], 5)) },
    ],
  ]
}

function omitHeaders({ headers: _headers, hashes: _hashes, ...fields }) {
  return fields
}

export function packageVectors() {
  const file = new VectorFile(
    'entry-package',
    'Entry packages (C2SP tlog-mirror): bytes hold the headers of [start, end) of the tree of size with root; prior are the leaf hashes from the multiple of 256 before start up to start, which the receiver already holds.',
  )
  addValid(file)
  for (const [id, comment, code, fields] of [...refusedShapes(), ...refusedContents()]) {
    file.invalid(`bad-${id}`, comment, code, omitHeaders(fields))
  }
  return file
}
