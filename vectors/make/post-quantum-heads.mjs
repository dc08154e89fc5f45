/** Heads and checkpoints of a writer with two keys. */
import { derived, filled, flipBit, utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { BRANCH, MAIN } from './headers.mjs'
import { WRITER } from './manifests.mjs'
import { mlDsaKey } from './ml-dsa.mjs'
import { formatOrigin } from './name-vectors.mjs'
import { alteredLine, checkpointText, cosignatureLine, ed25519Line, note } from './notes.mjs'
import { OWNER_PQ, PQ_CAPSULE, subtreeLine, subtreeMessage, WRITER_PQ } from './post-quantum.mjs'

const NAME = PQ_CAPSULE.name
const ROOT = derived('post-quantum root', 32)
const TIME_S = 1735787045

const KEYS = { name: NAME, writerKey: WRITER.publicKey, writerMlDsa44: WRITER_PQ.publicKey }

/** The six items of a compact head. */
function headItems({ branch = MAIN, epoch = 0, size = 12345, second = WRITER_PQ, timeS = 0 } = {}) {
  const origin = formatOrigin(NAME, branch)
  const text = checkpointText(origin, size, ROOT)
  const message = subtreeMessage(origin, { origin, size, root: ROOT }, timeS)
  return [branch, epoch, size, ROOT, WRITER.sign(utf8(text)), second.sign(message)]
}

function refusedHeads() {
  const good = headItems()
  const [bad, shape] = ['BAD_SIGNATURE', 'CHECKPOINT_INVALID']
  return [
    ['stripped', 'five items', 'SIGNATURE_MISSING', good.slice(0, 5)],
    ['altered', 'a bit of the second signature', bad, good.with(5, flipBit(good[5], 100))],
    ['first-altered', 'a bit of the first signature', bad, good.with(4, flipBit(good[4], 40))],
    ['stranger', 'by another ML-DSA-44 key', bad, headItems({ second: mlDsaKey('x') })],
    ['owner', "by the owner's ML-DSA-44 key", bad, headItems({ second: OWNER_PQ })],
    ['time', 'a signature with a time, as in a heartbeat', bad, headItems({ timeS: TIME_S })],
    ['other-size', 'of another size', bad, good.with(5, headItems({ size: 12346 })[5])],
    ['other-branch', 'of another branch', bad, good.with(5, headItems({ branch: BRANCH })[5])],
    ['seven', 'a seventh item', shape, [...good, 0]],
    ['short', 'a second signature of 2419 bytes', shape, good.with(5, good[5].slice(1))],
    ['null', 'null instead of it', shape, good.with(5, null)],
    ['twice', 'the Ed25519 signature twice', shape, good.with(5, good[4])],
    ['order', 'the second signature first', shape, good.with(4, good[5]).with(5, good[4])],
  ]
}

export function postQuantumHeads(file) {
  for (const [id, comment, items] of [
    ['main', 'the main branch', headItems()],
    ['branch', 'another branch', headItems({ branch: BRANCH })],
    ['size-max', 'the largest tree', headItems({ size: 9007199254740991 })],
  ]) {
    file.valid(`head-${id}`, comment, { kind: 'head', ...KEYS, bytes: encode(items) })
  }
  for (const [id, comment, code, items] of refusedHeads()) {
    file.invalid(`head-${id}`, comment, code, { kind: 'head', ...KEYS, bytes: encode(items) })
  }
}

const ORIGIN = formatOrigin(NAME, MAIN)
const TREE = { origin: ORIGIN, size: 12345, root: ROOT }
const TEXT = checkpointText(ORIGIN, 12345, ROOT)
const FIRST = ed25519Line(ORIGIN, WRITER, TEXT)
const SECOND = subtreeLine(ORIGIN, WRITER_PQ, TREE, 0)
const beat = (timeS) => [
  cosignatureLine(ORIGIN, WRITER, TEXT, timeS),
  subtreeLine(ORIGIN, WRITER_PQ, TREE, timeS),
]
const [BEAT, BEAT_PQ] = beat(TIME_S)
const LATER = beat(TIME_S + 60)
const SIGNATURE_END = 4 + 8 + 2419

function refusedCheckpoints() {
  const missing = 'SIGNATURE_MISSING'
  const bad = 'BAD_SIGNATURE'
  const stranger = subtreeLine(ORIGIN, mlDsaKey('x'), TREE, 0)
  const elsewhere = subtreeLine(ORIGIN, WRITER_PQ, { ...TREE, size: 12346 }, 0)
  const empty = checkpointText(ORIGIN, 12345, filled(32, 0))
  return [
    ['stripped', 'no line of type 06', missing, note(TEXT, FIRST)],
    ['first-stripped', 'no line of type 01', bad, note(TEXT, SECOND)],
    ['stranger', 'the second line by a stranger', missing, note(TEXT, FIRST, stranger)],
    ['altered', 'a bit of the second', bad, note(TEXT, FIRST, alteredLine(SECOND, SIGNATURE_END))],
    ['elsewhere', 'the second line is of another size', bad, note(TEXT, FIRST, elsewhere)],
    [
      'other-text',
      'the second line on another text',
      bad,
      note(empty, ed25519Line(ORIGIN, WRITER, empty), SECOND),
    ],
    ['twice', 'the second line twice', 'CHECKPOINT_INVALID', note(TEXT, FIRST, SECOND, SECOND)],
    [
      'time-altered',
      'the second line says a time',
      bad,
      note(TEXT, FIRST, alteredLine(SECOND, 11)),
    ],
    [
      'only-heartbeat',
      'the heartbeat instead of the head',
      missing,
      note(TEXT, FIRST, BEAT, BEAT_PQ),
    ],
    [
      'half-04',
      'a heartbeat without its line of type 06',
      missing,
      note(TEXT, FIRST, SECOND, BEAT),
    ],
    [
      'half-06',
      'a heartbeat without its line of type 04',
      missing,
      note(TEXT, FIRST, SECOND, BEAT_PQ),
    ],
    ['halves', 'two halves of different times', missing, note(TEXT, FIRST, SECOND, BEAT, LATER[1])],
    [
      'newest-half',
      'the newest heartbeat is half',
      missing,
      note(TEXT, FIRST, SECOND, BEAT, BEAT_PQ, LATER[0]),
    ],
    ['time-0', 'a heartbeat of the time 0', missing, note(TEXT, FIRST, SECOND, beat(0)[0])],
  ]
}

export function postQuantumCheckpoints(file) {
  const accept = (id, comment, text, more = {}) => {
    const fields = { kind: 'checkpoint', ...KEYS, note: text, size: 12345, root: ROOT, ...more }
    file.valid(`checkpoint-${id}`, comment, fields)
  }
  accept('head', 'both keys sign the head', note(TEXT, FIRST, SECOND))
  accept('order', 'in any order', note(TEXT, SECOND, FIRST))
  const heartbeat = { heartbeatS: TIME_S }
  accept(
    'heartbeat',
    'both keys sign a heartbeat',
    note(TEXT, FIRST, SECOND, BEAT, BEAT_PQ),
    heartbeat,
  )
  accept(
    'heartbeats',
    'the newest of two heartbeats',
    note(TEXT, FIRST, SECOND, ...LATER, BEAT, BEAT_PQ),
    { heartbeatS: TIME_S + 60 },
  )
  for (const [id, comment, code, text] of refusedCheckpoints()) {
    const fields = { kind: 'checkpoint', ...KEYS, note: text }
    file.invalid(`checkpoint-${id}`, comment, code, fields)
  }
}
