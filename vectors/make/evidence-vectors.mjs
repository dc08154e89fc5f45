/** Evidence of equivocation: two heads that one history cannot have, and what convicts nobody. */
import { concat, derived, filled, flipBit, utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { BRANCH, MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { capsuleManifest, OWNER, ownerOnlyManifest, signedManifest, WRITER } from './manifests.mjs'
import { consistencyPath, leafHash, listTree } from './merkle.mjs'
import { formatName, formatOrigin } from './name-vectors.mjs'
import { checkpointText } from './notes.mjs'
import { CAPSULE, makeEntries, OTHER_CAPSULE } from './receipts.mjs'
import { VectorFile } from './vector-file.mjs'

const HEADERS = makeEntries(40).map(({ header }) => header)
/** Two histories: they part at entry 2. */
const FIRST = listTree(HEADERS.map(leafHash))
const SECOND = listTree(HEADERS.with(2, HEADERS[39]).map(leafHash))

/** A compact head as the array that the format holds. */
function head(tree, size, { branch = MAIN, epoch = 0, signer = WRITER, name = CAPSULE.name } = {}) {
  const root = tree(0, size)
  const text = checkpointText(formatOrigin(name, branch), size, root)
  return [branch, epoch, size, root, signer.sign(utf8(text))]
}

/** Consistency path in B's tree, always beginning with a node of that tree. */
function contradiction(tree, m, n) {
  const isNode = Number.isInteger(Math.log2(m))
  return [...(isNode ? [tree(0, m)] : []), ...consistencyPath(tree, m, n)]
}

const evidence = (a, b, path, manifest = CAPSULE.signed) => encode([manifest, a, b, path])

function addValid(file) {
  for (const [m, n, branch] of [
    [3, 7, MAIN],
    [4, 7, MAIN],
    [3, 4, MAIN],
    [8, 16, MAIN],
    [5, 33, BRANCH],
    [31, 32, MAIN],
  ]) {
    const where = branch.length === 0 ? '' : '-branch'
    const bytes = evidence(
      head(FIRST, m, { branch }),
      head(SECOND, n, { branch }),
      contradiction(SECOND, m, n),
    )
    file.valid(`${m}-and-${n}${where}`, 'the larger tree does not begin with the smaller one', {
      bytes,
      name: formatName(CAPSULE.name),
      owner: OWNER.publicKey,
      writerKey: WRITER.publicKey,
      branch,
      sizes: [m, n],
    })
  }
  const heads = [head(FIRST, 5), head(SECOND, 5)].sort((a, b) => Buffer.compare(a[3], b[3]))
  file.valid('5-and-5', 'two roots for one size', {
    bytes: evidence(heads[0], heads[1], []),
    name: formatName(CAPSULE.name),
    owner: OWNER.publicKey,
    writerKey: WRITER.publicKey,
    branch: MAIN,
    sizes: [5, 5],
  })
}

function refusedHistories() {
  const [a, b] = [head(FIRST, 3), head(SECOND, 7)]
  const path = contradiction(SECOND, 3, 7)
  const same = [head(FIRST, 5), head(SECOND, 5)].sort((x, y) => Buffer.compare(x[3], y[3]))
  return [
    [
      'consistent-3-7',
      'an honest writer: the larger tree begins with the smaller one',
      evidence(a, head(FIRST, 7), contradiction(FIRST, 3, 7)),
    ],
    [
      'consistent-4-7',
      'an honest writer, the smaller tree is a node of the larger one',
      evidence(head(FIRST, 4), head(FIRST, 7), contradiction(FIRST, 4, 7)),
    ],
    ['one-head', 'one head is no contradiction', evidence(a, a, [])],
    ['other-order', 'the larger head first', evidence(b, a, path)],
    ['same-size-order', 'one size, the larger root first', evidence(same[1], same[0], [])],
    ['same-size-path', 'one size needs no path', evidence(same[0], same[1], [filled(32, 0)])],
    ['path-of-a', 'the path of the other tree', evidence(a, b, contradiction(FIRST, 3, 7))],
    [
      'path-flip-first',
      'the first hash changed: another root at 3, but not the root of B',
      evidence(a, b, path.with(0, flipBit(path[0], 0))),
    ],
    [
      'path-flip-last',
      'the last hash changed',
      evidence(a, b, path.with(-1, flipBit(path.at(-1), 0))),
    ],
    ['path-short', 'a hash missing', evidence(a, b, path.slice(1))],
    ['path-long', 'a hash too many', evidence(a, b, [...path, filled(32, 0)])],
    ['path-empty', 'no path', evidence(a, b, [])],
    ['path-60', 'more hashes than any tree has levels', evidence(a, b, Array(60).fill(path[0]))],
  ]
}

/** Heads and manifests that do not belong together or are not signed. */
function refusedStatements() {
  const [a, b] = [head(FIRST, 3), head(SECOND, 7)]
  const path = contradiction(SECOND, 3, 7)
  const { signed } = OTHER_CAPSULE
  return [
    [
      'forged-a',
      'head A signed by a stranger',
      evidence(head(FIRST, 3, { signer: key('stranger') }), b, path),
    ],
    [
      'forged-b',
      'head B signed by the owner',
      evidence(a, head(SECOND, 7, { signer: OWNER }), path),
    ],
    [
      'changed-root',
      'the root of A changed after signing',
      evidence(a.with(3, derived('root', 32)), b, path),
    ],
    ['changed-size', 'the size of A changed after signing', evidence(a.with(2, 2), b, path)],
    [
      'two-branches',
      'heads of two branches',
      evidence(a, head(SECOND, 7, { branch: BRANCH }), path),
    ],
    [
      'renamed-branch',
      'the branch changed after signing',
      evidence(a.with(0, BRANCH), b.with(0, BRANCH), path),
    ],
    [
      'two-capsules',
      'a head of another capsule with the same writer key',
      evidence(a, head(SECOND, 7, { name: OTHER_CAPSULE.name }), path),
    ],
    ['other-manifest', 'the manifest of another capsule', evidence(a, b, path, signed)],
    [
      'person',
      'the manifest of a person',
      evidence(a, b, path, signedManifest(ownerOnlyManifest('person')).signed),
    ],
    [
      'unsigned-manifest',
      'a manifest signed by a stranger',
      evidence(a, b, path, signedManifest(capsuleManifest(), key('stranger')).signed),
    ],
    ['two-epochs', 'heads of two epochs', evidence(a, b.with(1, 1), path)],
    [
      'epoch-1',
      "both heads claim another epoch than the manifest's key",
      evidence(a.with(1, 1), b.with(1, 1), path),
    ],
    [
      'size-0',
      'an empty tree is never signed',
      evidence(
        head(() => derived('x', 32), 0),
        b,
        path,
      ),
    ],
  ]
}

function refusedShapes() {
  const [a, b] = [head(FIRST, 3), head(SECOND, 7)]
  const path = contradiction(SECOND, 3, 7)
  const good = evidence(a, b, path)
  return [
    ['three-fields', 'no path', encode([CAPSULE.signed, a, b])],
    ['five-fields', 'a field more', encode([CAPSULE.signed, a, b, path, null])],
    ['head-short', 'a head without its signature', evidence(a.slice(0, 4), b, path)],
    ['hash-31', 'a hash of 31 bytes', evidence(a, b, path.with(0, filled(31, 0)))],
    ['map', 'a map', encode({ a, b })],
    ['trailing', 'a byte after the evidence', concat(good, filled(1, 0))],
    ['truncated', 'the last byte missing', good.slice(0, -1)],
    ['empty', 'nothing', new Uint8Array(0)],
    ['long', 'above 20 KiB', encode([filled(20480, 0), a, b, path])],
  ]
}

export function evidenceVectors() {
  const file = new VectorFile(
    'evidence',
    'Evidence of equivocation [signed manifest, head A, head B, path]. Valid: convicts the writer key of the capsule name; sizes are those of the two heads. Invalid: convicts nobody.',
  )
  addValid(file)
  for (const [id, comment, bytes] of [
    ...refusedHistories(),
    ...refusedStatements(),
    ...refusedShapes(),
  ]) {
    file.invalid(`bad-${id}`, comment, 'EVIDENCE_INVALID', { bytes })
  }
  return file
}
