/** Messages of replication: control messages, and bulk messages with entries and payloads. */
import { bigEndian, concat, derived, filled, flipBit, utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { MAIN } from './headers.mjs'
import { leafHash, listTree, subtreePath } from './merkle.mjs'
import { makeEntries } from './receipts.mjs'
import { VectorFile } from './vector-file.mjs'

const NAME = derived('message capsule', 32)
const BRANCH = derived('message branch', 16)
const ROOT = derived('message root', 32)
const SIGNATURE = derived('message signature', 64)
const TIME_S = 1735787045
const HEAD = encode([MAIN, 0, 300, ROOT, SIGNATURE])
const STATEMENT = [TIME_S, SIGNATURE]
const SECOND = derived('message second signature', 2420)

/** Kind, code, fields behind the request id. */
const CONTROL = [
  ['error', 0, ['OVERLOADED', 'too much at once', 1000]],
  ['open', 1, [NAME, MAIN]],
  ['opened', 2, [derived('manifest', 300), [MAIN, BRANCH], HEAD, STATEMENT, null]],
  ['offer', 3, [derived('manifest', 300), derived('chain', 400)]],
  ['accepted', 4, []],
  ['push', 5, [NAME, BRANCH]],
  ['have', 6, [HEAD, 300]],
  ['receipt', 7, [300, ROOT, TIME_S, SIGNATURE]],
  ['range', 8, [NAME, MAIN, 256, 300, 300, true]],
  ['end', 9, []],
  ['follow', 10, [NAME, MAIN, 300]],
  ['unfollow', 11, []],
  ['consistency', 12, [NAME, MAIN, 1, 300]],
  ['path', 13, [[ROOT, NAME]]],
  ['bodies', 14, [NAME, MAIN, [0, 7, 2 ** 40]]],
  ['cosign', 15, [NAME, MAIN]],
  ['heartbeat', 16, [NAME, MAIN, 300, TIME_S, SIGNATURE]],
  ['news', 17, [NAME, MAIN, HEAD]],
  ['present', 18, [[Buffer.from('8080', 'hex')]]],
  ['presented', 19, [[]]],
]

function addControl(file) {
  for (const [kind, code, fields] of CONTROL) {
    const bytes = encode([code, 7, ...fields])
    file.valid(kind, `the message ${kind}`, { form: 'control', kind, request: 7, bytes })
    const longer = encode([code, 7, ...fields, 0])
    refuse(file, `${kind}-field-more`, 'a field more', 'control', longer)
  }
  for (const [kind, code, fields] of [
    ['opened', 2, [derived('manifest', 300), [MAIN], HEAD, null, [...STATEMENT, SECOND]]],
    ['heartbeat', 16, [NAME, MAIN, 300, ...STATEMENT, SECOND]],
  ]) {
    const bytes = encode([code, 7, ...fields])
    const comment = `${kind} with the heartbeat of a writer with two keys`
    file.valid(`${kind}-two-keys`, comment, { form: 'control', kind, request: 7, bytes })
  }
  file.valid('id-largest', 'the largest request id', {
    ...{ form: 'control', kind: 'end', request: 4294967295 },
    bytes: encode([9, 4294967295]),
  })
  for (const [id, comment, value] of [
    ['id-33-bits', 'a request id beyond 32 bits', [9, 4294967296]],
    ['kind-unknown', 'a code that no kind has', [18, 7]],
    ['no-array', 'a map', new Map([['a', 1]])],
    ['name-short', 'a name of 31 bytes', [1, 7, NAME.slice(1), MAIN]],
    ['branch-15', 'a branch id of 15 bytes', [1, 7, NAME, BRANCH.slice(1)]],
    ['range-empty', 'a range without entries', [8, 7, NAME, MAIN, 5, 5, 300, true]],
    ['range-beyond', 'a range beyond its tree', [8, 7, NAME, MAIN, 5, 301, 300, true]],
    ['bodies-none', 'no index', [14, 7, NAME, MAIN, []]],
    ['bodies-order', 'indices that do not ascend', [14, 7, NAME, MAIN, [3, 3]]],
    ['bodies-257', 'more indices than allowed', [14, 7, NAME, MAIN, [...Array(257).keys()]]],
    ['consistency-equal', 'two equal sizes', [12, 7, NAME, MAIN, 300, 300]],
    ['consistency-zero', 'the empty tree', [12, 7, NAME, MAIN, 0, 300]],
    ['path-55', 'a path of 55 hashes', [13, 7, Array(55).fill(ROOT)]],
    ['have-no-head', 'bytes that are no head', [6, 7, ROOT, 0]],
    ['error-code', 'a code in lower case', [0, 7, 'not_found', '', null]],
    ['statement', 'a cosignature without its time', [2, 7, ROOT, [], HEAD, [SIGNATURE], null]],
    [
      'second-short',
      'a second signature of 2419 bytes',
      [16, 7, NAME, MAIN, 300, ...STATEMENT, SECOND.slice(1)],
    ],
    [
      'cosignature-long',
      'a cosignature with a second one',
      [2, 7, ROOT, [], HEAD, [...STATEMENT, SECOND], null],
    ],
    ['branches-order', 'not ascending', [2, 7, ROOT, [BRANCH, MAIN], null, null, null]],
  ]) {
    refuse(file, id, comment, 'control', encode(value))
  }
  refuse(file, 'not-cbor', 'bytes that are no CBOR', 'control', Uint8Array.of(0x82, 0x09))
  const wide = Uint8Array.of(0x82, 0x18, 0x09, 0x07)
  refuse(file, 'not-shortest', 'a code in two bytes', 'control', wide)
}

const ENTRIES = makeEntries(300)
const LEAVES = ENTRIES.map(({ header }) => leafHash(header))

/** Entries [start, end) of the tree of 300, as one message. */
function entriesMessage(start, end, changes = {}) {
  const aligned = Math.floor(start / 256) * 256
  const hashes = subtreePath(listTree(LEAVES), aligned, end, 300)
  const entries = ENTRIES.slice(start, end)
  const packageBytes = concat(
    ...entries.map(({ header }) => concat(bigEndian(header.length, 2), header)),
    Uint8Array.of(hashes.length),
    ...hashes,
  )
  const { head = new Uint8Array(0), count = end - start, states = defaultStates(entries) } = changes
  return concat(
    ...[Uint8Array.of(1), bigEndian(7, 4), bigEndian(head.length, 2), head],
    ...[bigEndian(start, 8), bigEndian(count, 2), bigEndian(packageBytes.length, 4)],
    ...[packageBytes, ...states],
  )
}

function present(body) {
  return concat(Uint8Array.of(1), bigEndian(body.length, 4), body)
}

function defaultStates(entries) {
  return entries.map(({ body }) => present(body))
}

function addEntries(file) {
  const tree = { size: 300, root: listTree(LEAVES)(0, 300) }
  const add = (id, comment, start, end, changes) => {
    const prior = LEAVES.slice(Math.floor(start / 256) * 256, start)
    const bytes = entriesMessage(start, end, changes)
    const headers = ENTRIES.slice(start, end).map(({ header }) => header)
    file.valid(id, comment, { form: 'entries', request: 7, ...tree, start, prior, bytes, headers })
  }
  add('entries-1', 'the last entry', 299, 300)
  add('entries-tile', 'a whole tile', 0, 256)
  add('entries-cut', 'a package that ends before its tile', 10, 20)
  add('entries-head', 'with a head', 256, 260, { head: HEAD })
  const states = [Uint8Array.of(0), Uint8Array.of(2), present(ENTRIES[258].body)]
  add('entries-states', 'absent, erased, present', 256, 259, { states })

  const good = entriesMessage(256, 260)
  const refused = (id, comment, code, bytes) => {
    file.invalid(id, comment, code, { form: 'entries', ...tree, start: 256, prior: [], bytes })
  }
  refused('entries-empty', 'no bytes', 'PROTOCOL_ERROR', new Uint8Array(0))
  refused('entries-cut-off', 'the last byte missing', 'PROTOCOL_ERROR', good.slice(0, -1))
  refused('entries-behind', 'a byte behind', 'PROTOCOL_ERROR', concat(good, filled(1, 0)))
  refused('entries-none', 'no entry', 'PROTOCOL_ERROR', entriesMessage(256, 260, { count: 0 }))
  refused('entries-257', '257 entries', 'PROTOCOL_ERROR', entriesMessage(256, 260, { count: 257 }))
  const unknown = [Uint8Array.of(3), ...defaultStates(ENTRIES.slice(257, 260))]
  const withStates = (list) => entriesMessage(256, 260, { states: list })
  refused('entries-state', 'a state that is not known', 'PROTOCOL_ERROR', withStates(unknown))
  const other = defaultStates(ENTRIES.slice(256, 260)).with(1, present(utf8('something else')))
  refused('entries-body', 'another body', 'PAYLOAD_MISMATCH', withStates(other))
  refused('entries-header', 'one bit of a header', 'ROOT_MISMATCH', flipBit(good, 7 + 14 + 40))
}

function addBodies(file) {
  const item = (index, rest) => concat(bigEndian(index, 8), rest)
  const message = (count, ...items) => {
    return concat(Uint8Array.of(2), bigEndian(7, 4), bigEndian(count, 2), ...items)
  }
  const items = [item(3, present(utf8('hi'))), item(4, Uint8Array.of(0)), item(9, Uint8Array.of(2))]
  const good = message(3, ...items)
  file.valid('payloads', 'present, absent, erased', {
    ...{ form: 'bodies', request: 7, bytes: good },
    payloads: [
      [3, 'present', utf8('hi')],
      [4, 'absent', null],
      [9, 'erased', null],
    ],
  })
  for (const [id, comment, bytes] of [
    ['payloads-none', 'no payload', message(0)],
    ['payloads-cut-off', 'the last byte missing', good.slice(0, -1)],
    ['payloads-behind', 'a byte behind', concat(good, filled(1, 0))],
    ['payloads-order', 'indices that do not ascend', message(2, items[1], items[0])],
    ['payloads-state', 'a state that is not known', message(1, item(3, Uint8Array.of(3)))],
    ['payloads-index', 'an index beyond 2^53', message(1, item(2n ** 53n, Uint8Array.of(0)))],
  ]) {
    refuse(file, id, comment, 'bodies', bytes)
  }
}

function refuse(file, id, comment, form, bytes) {
  file.invalid(id, comment, 'PROTOCOL_ERROR', { form, bytes })
}

export function messageVectors() {
  const file = new VectorFile(
    'message',
    'Messages of replication: form control (kind and request id), entries (under the tree of size and root, with prior leaf hashes; headers are what they bring) or bodies (payloads: index, state, body).',
  )
  addControl(file)
  addEntries(file)
  addBodies(file)
  return file
}
