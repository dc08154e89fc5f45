/** Receipts of, and evidence against, a capsule whose owner and writer have two keys. */
import { utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { coseSign1, signedManifest, WRITER } from './manifests.mjs'
import { consistencyPath, inclusionPath, leafHash, listTree } from './merkle.mjs'
import { mlDsaKey } from './ml-dsa.mjs'
import { formatName, formatOrigin } from './name-vectors.mjs'
import { checkpointText, cosignatureLine, note } from './notes.mjs'
import {
  PQ_CAPSULE,
  postQuantumNode,
  subtreeLine,
  subtreeMessage,
  WRITER_PQ,
} from './post-quantum.mjs'
import { commit, ENTRIES, extra, makeEntries, receiptText, TIME_S } from './receipts.mjs'

const { name: NAME, signed: MANIFEST } = PQ_CAPSULE
const COMMITTED = commit(ENTRIES, MAIN, WRITER, NAME)
const { origin: ORIGIN, text: TEXT, line: FIRST } = COMMITTED
const SECOND = subtreeLine(ORIGIN, WRITER_PQ, COMMITTED, 0)

function receipt(lines, { index = 4, manifest = MANIFEST, cosigners = [] } = {}) {
  const { header, body } = ENTRIES[index]
  return receiptText({
    extraBytes: encode(extra({ header, payload: body, manifest, cosigners })),
    index,
    path: inclusionPath(COMMITTED.tree, index, 0, ENTRIES.length),
    checkpoint: note(TEXT, ...lines),
  })
}

/** A node that cosigned, and the two lines of one of its roles. */
function makeNode(label) {
  const { name, signed } = signedManifest(postQuantumNode(label))
  const lines = (role, timeS) => {
    const cosigner = `longshore/${formatName(name)}/${role}`
    return [
      cosignatureLine(cosigner, key(`${label} ${role}`), TEXT, timeS),
      subtreeLine(cosigner, mlDsaKey(`${label} ${role}`), COMMITTED, timeS),
    ]
  }
  return { name, entry: [signed, []], lines }
}

export function postQuantumReceipts(file) {
  const node = makeNode('pq cosigner')
  const cosigners = [node.entry]
  const mirror = node.lines('mirror', TIME_S)
  const witness = node.lines('witness', TIME_S + 1)
  const accept = (id, comment, text, index, more = {}) => {
    const fields = { kind: 'receipt', receipt: text, name: formatName(NAME), index, ...more }
    file.valid(`receipt-${id}`, comment, fields)
  }
  for (const index of [0, 4, 10]) {
    accept(`entry-${index}`, 'both keys of the writer', receipt([FIRST, SECOND], { index }), index)
  }
  const all = receipt([FIRST, SECOND, ...mirror, ...witness], { cosigners })
  accept('cosigned', 'a mirror and a witness with two keys each', all, 4, {
    cosigners: [
      { name: node.name, role: 'mirror', timeS: TIME_S },
      { name: node.name, role: 'witness', timeS: TIME_S + 1 },
    ],
  })
  const removed = receipt([FIRST, SECOND, ...witness], { cosigners })
  accept('cosigned-one', 'both lines of the mirror were taken away', removed, 4, {
    cosigners: [{ name: node.name, role: 'witness', timeS: TIME_S + 1 }],
  })
  const missing = 'SIGNATURE_MISSING'
  const stripped = coseSign1({ body: PQ_CAPSULE.body })
  const later = node.lines('mirror', TIME_S + 9)
  for (const [id, comment, text] of [
    ['stripped', 'no second signature of the head', receipt([FIRST])],
    ['manifest-stripped', 'no countersignature', receipt([FIRST, SECOND], { manifest: stripped })],
    ['mirror-04', 'half a cosignature', receipt([FIRST, SECOND, mirror[0]], { cosigners })],
    ['mirror-06', 'the other half', receipt([FIRST, SECOND, mirror[1]], { cosigners })],
    [
      'mirror-times',
      'halves of two times',
      receipt([FIRST, SECOND, mirror[0], later[1]], { cosigners }),
    ],
    [
      'roles',
      'halves of two roles',
      receipt([FIRST, SECOND, mirror[0], witness[1]], { cosigners }),
    ],
  ]) {
    file.invalid(`receipt-${id}`, comment, missing, { kind: 'receipt', receipt: text })
  }
}

const HEADERS = makeEntries(12).map(({ header }) => header)
const ONE = listTree(HEADERS.map(leafHash))
const TWO = listTree(HEADERS.with(2, HEADERS[11]).map(leafHash))

function head(tree, size, second = WRITER_PQ) {
  const origin = formatOrigin(NAME, MAIN)
  const root = tree(0, size)
  const text = checkpointText(origin, size, root)
  const message = subtreeMessage(origin, { origin, size, root }, 0)
  return [MAIN, 0, size, root, WRITER.sign(utf8(text)), second.sign(message)]
}

export function postQuantumEvidence(file) {
  const path = consistencyPath(TWO, 3, 7)
  const evidence = (a, b) => encode([MANIFEST, a, b, path])
  const [a, b] = [head(ONE, 3), head(TWO, 7)]
  const valid = { kind: 'evidence', bytes: evidence(a, b), name: formatName(NAME), sizes: [3, 7] }
  file.valid('evidence', 'two heads, each by both keys', valid)
  const forged = head(TWO, 7, mlDsaKey('x'))
  for (const [id, comment, bytes] of [
    ['stripped-a', 'the smaller head by one key', evidence(a.slice(0, 5), b)],
    ['stripped-b', 'the larger head by one key', evidence(a, b.slice(0, 5))],
    ['forged', 'an Ed25519 key was broken, and no other: nobody is framed', evidence(a, forged)],
  ]) {
    file.invalid(`evidence-${id}`, comment, 'EVIDENCE_INVALID', { kind: 'evidence', bytes })
  }
}
