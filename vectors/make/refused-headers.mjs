/** Headers that a verifier must refuse: [id, comment, bytes]. */
import { concat, derived, filled, unhex, utf8 } from './bytes.mjs'
import {
  arrayItem,
  bytesItem,
  encode,
  FLOAT16_ZERO,
  head,
  mapItem,
  NULL,
  negative,
  nested,
  tagItem,
  textItem,
  UNDEFINED,
  uint,
} from './cbor.mjs'
import {
  BRANCH,
  branchStart,
  controlHeader,
  EMPTY_HASH,
  headPointer,
  MAIN,
  plainHeader,
  pointer,
  sealedHeads,
} from './headers.mjs'
import { TIME_US } from './manifests.mjs'

/** The four items of a plain header as CBOR bytes, with single items replaced. */
function items(changes = {}) {
  const [kind, timeUs, payloadBytes, payloadHash] = plainHeader()
  return Object.assign(
    [uint(kind), uint(timeUs), uint(payloadBytes), bytesItem(payloadHash)],
    changes,
  )
}

const written = (changes) => arrayItem(items(changes))

function fixedFields() {
  const hash = derived('payload hash', 32)
  return [
    ['kind-3', 'a kind that version 1 does not have', encode(plainHeader({ 0: 3 }))],
    ['kind-24', 'a kind in two bytes', encode(plainHeader({ 0: 24 }))],
    ['kind-255', 'a kind far off', encode(plainHeader({ 0: 255 }))],
    ['kind-negative', 'a negative kind', written({ 0: negative(-1) })],
    ['kind-null', 'no kind', encode(plainHeader({ 0: null }))],
    ['kind-text', 'a kind as text', encode(plainHeader({ 0: 'plain' }))],
    ['kind-false', 'false is not 0', encode(plainHeader({ 0: false }))],
    ['kind-long', 'kind 0 in two bytes', written({ 0: uint(0, 1) })],
    ['time-2-53', 'time above 2^53 - 1', written({ 1: uint(9007199254740992n) })],
    ['time-2-64', 'the largest CBOR integer', written({ 1: uint(0xffffffffffffffffn) })],
    ['time-negative', 'before 1970', written({ 1: negative(-1) })],
    ['time-float', 'a float', written({ 1: unhex('fb4338acb5b7c1e400') })],
    ['time-text', 'a date', encode(plainHeader({ 1: '2025-01-02T03:04:05Z' }))],
    ['time-tag', 'tag 1', written({ 1: tagItem(1, uint(TIME_US)) })],
    ['time-null', 'no time', encode(plainHeader({ 1: null }))],
    ['time-long-1', 'a small time in two bytes', written({ 1: uint(23, 1) })],
    ['time-long-2', 'a small time in three bytes', written({ 1: uint(255, 2) })],
    ['time-long-4', 'a small time in five bytes', written({ 1: uint(65535, 4) })],
    ['time-long-8', 'a small time in nine bytes', written({ 1: uint(4294967295, 8) })],
    ['payload-bytes-max', 'one byte above 1 MiB', encode(plainHeader({ 2: 1048577 }))],
    ['payload-bytes-2-32', 'above 32 bits', encode(plainHeader({ 2: 4294967296 }))],
    ['payload-bytes-negative', 'a negative size', written({ 2: negative(-1) })],
    ['payload-bytes-null', 'no size', encode(plainHeader({ 2: null }))],
    ['payload-bytes-long-1', 'a size in two bytes', written({ 2: uint(7, 1) })],
    ['payload-bytes-long-2', 'a size in three bytes', written({ 2: uint(200, 2) })],
    ['payload-bytes-long-4', 'a size in five bytes', written({ 2: uint(60000, 4) })],
    ['payload-bytes-long-8', 'a size in nine bytes', written({ 2: uint(1048576, 8) })],
    ['hash-31', 'a hash of 31 bytes', encode(plainHeader({ 3: hash.slice(1) }))],
    ['hash-33', 'a hash of 33 bytes', encode(plainHeader({ 3: concat(hash, filled(1, 0)) }))],
    ['hash-empty', 'an empty hash', encode(plainHeader({ 3: new Uint8Array(0) }))],
    ['hash-text', 'a hash as text of 32 bytes', encode(plainHeader({ 3: 'a'.repeat(32) }))],
    ['hash-null', 'no hash', encode(plainHeader({ 3: null }))],
    [
      'hash-long-head',
      'the head of the hash longer than needed',
      written({ 3: bytesItem(hash, 2) }),
    ],
    [
      'hash-chunks',
      'the hash in chunks',
      written({
        3: concat(
          unhex('5f'),
          bytesItem(hash.slice(0, 16)),
          bytesItem(hash.slice(16)),
          unhex('ff'),
        ),
      }),
    ],
  ]
}

function frames() {
  const [kind, timeUs, payloadBytes] = items()
  return [
    ['empty', 'no bytes', new Uint8Array(0)],
    ['array-0', 'an empty array', arrayItem([])],
    ['array-3', 'three items', arrayItem([kind, timeUs, payloadBytes])],
    ['array-5-no-pointers', 'five items need pointers', arrayItem([...items(), arrayItem([])])],
    ['array-5-null', 'null instead of pointers', arrayItem([...items(), NULL])],
    [
      'array-5-map',
      'an extension in the place of the pointers',
      arrayItem([...items(), mapItem([[textItem('a/b'), NULL]])]),
    ],
    [
      'array-6-no-ext',
      'six items need an extension',
      arrayItem([...items(), arrayItem([]), mapItem([])]),
    ],
    ['array-6-null', 'null instead of the extension', arrayItem([...items(), arrayItem([]), NULL])],
    [
      'array-6-array',
      'an array instead of the extension',
      arrayItem([...items(), arrayItem([]), arrayItem([NULL])]),
    ],
    [
      'array-6-pointers-null',
      'null instead of no pointers',
      arrayItem([...items(), NULL, mapItem([[textItem('a/b'), NULL]])]),
    ],
    [
      'array-7',
      'seven items',
      arrayItem([...items(), arrayItem([]), mapItem([[textItem('a/b'), NULL]]), NULL]),
    ],
  ]
}

/** The right items in another encoding. */
function encodings() {
  const good = encode(plainHeader())
  const [kind, timeUs, payloadBytes, payloadHash] = items()
  const cases = [
    ['array-long-head', 'the array head in two bytes', concat(unhex('9804'), good.slice(1))],
    [
      'array-long-head-8',
      'the array head in nine bytes',
      concat(unhex('9b0000000000000004'), good.slice(1)),
    ],
    ['array-indefinite', 'an array until break', concat(unhex('9f'), good.slice(1), unhex('ff'))],
    [
      'map',
      'a map of the same items',
      mapItem([
        [textItem('kind'), kind],
        [textItem('time'), timeUs],
      ]),
    ],
    ['bytes', 'the header inside a byte string', bytesItem(good)],
    ['tag', 'a tag around it', tagItem(55799, good)],
    [
      'swapped',
      'size and time exchanged with the hash',
      arrayItem([kind, payloadHash, payloadBytes, timeUs]),
    ],
    ['trailing-zero', 'a byte after it', concat(good, filled(1, 0))],
    ['trailing-header', 'two headers', concat(good, good)],
    ['four-promised-five', 'five items announced, four there', concat(unhex('85'), good.slice(1))],
    [
      'five-promised-four',
      'four items announced, five there',
      concat(good, arrayItem([encode(pointer())])),
    ],
    [
      'array-2-32',
      'four thousand million items announced',
      concat(head(4, 4294967295), good.slice(1)),
    ],
  ]
  for (let length = 1; length < good.length; length += 1) {
    cases.push([`truncated-${length}`, `the first ${length} bytes`, good.slice(0, length)])
  }
  return cases
}

function pointers() {
  const with4 = (value) => encode([...plainHeader(), value])
  const one = (changes) => with4([pointer(changes)])
  return [
    ['pointers-65', '65 pointers', with4(Array(65).fill(pointer()))],
    ['pointer-3', 'three items', with4([pointer().slice(0, 3)])],
    ['pointer-5', 'five items', with4([[...pointer(), 0]])],
    ['pointer-null', 'null as a pointer', with4([null])],
    ['pointer-bytes', 'a hash alone', with4([derived('pointed leaf', 32)])],
    ['pointer-map', 'a map', with4([{ index: 7 }])],
    ['pointer-capsule-31', 'a name of 31 bytes', one({ 0: filled(31, 1) })],
    ['pointer-capsule-empty', 'an empty name', one({ 0: new Uint8Array(0) })],
    ['pointer-capsule-false', 'false instead of null', one({ 0: false })],
    ['pointer-capsule-text', 'a name as text', one({ 0: 'b'.repeat(32) })],
    ['pointer-branch-15', 'a branch of 15 bytes', one({ 1: filled(15, 1) })],
    ['pointer-branch-17', 'a branch of 17 bytes', one({ 1: filled(17, 1) })],
    ['pointer-branch-32', 'a branch of 32 bytes', one({ 1: filled(32, 1) })],
    ['pointer-branch-null', 'null instead of the main branch', one({ 1: null })],
    [
      'pointer-index-2-53-less-1',
      'an index that no tree of at most 2^53 - 1 entries has',
      one({ 2: 9007199254740991 }),
    ],
    ['pointer-index-2-53', 'an index above 2^53 - 1', one({ 2: 9007199254740992n })],
    ['pointer-index-negative', 'a negative index', one({ 2: -1 })],
    ['pointer-index-null', 'no index', one({ 2: null })],
    ['pointer-index-bytes', 'an index as bytes', one({ 2: filled(8, 0) })],
    ['pointer-leaf-31', 'a leaf hash of 31 bytes', one({ 3: filled(31, 1) })],
    ['pointer-leaf-33', 'a leaf hash of 33 bytes', one({ 3: filled(33, 1) })],
    ['pointer-leaf-null', 'no leaf hash', one({ 3: null })],
  ]
}

function extensions() {
  const ext = (value) => encode([...plainHeader(), [], value])
  const raw = (...pairs) => arrayItem([...items(), arrayItem([]), mapItem(pairs)])
  const app = textItem('example.com/a')
  const small = 'a/b'
  return [
    ['ext-unknown-key', 'a key without / that nobody registered', ext({ lang: 'de' })],
    ['ext-empty-key', 'an empty key', ext({ '': 1 })],
    ['ext-registered-case', 'a registered key in another case', ext({ Erase: [[[0, 1]], ''] })],
    ['ext-int-key', 'an integer key', raw([uint(1), NULL])],
    ['ext-bytes-key', 'a key of bytes', raw([bytesItem(utf8(small)), NULL])],
    ['ext-duplicate', 'one key twice', raw([app, NULL], [app, NULL])],
    ['ext-unsorted', 'keys not sorted', raw([textItem('b/b'), NULL], [textItem(small), NULL])],
    [
      'ext-unsorted-length',
      'a longer key before a shorter one',
      raw([app, NULL], [textItem(small), NULL]),
    ],
    ['ext-float', 'a float', raw([app, FLOAT16_ZERO])],
    ['ext-undefined', 'undefined', raw([app, UNDEFINED])],
    ['ext-tag', 'a tag', raw([app, tagItem(0, textItem('x'))])],
    ['ext-cid', 'a CID link', raw([app, tagItem(42, bytesItem(unhex('0001711220')))])],
    ['ext-negative', 'a negative integer', raw([app, negative(-1)])],
    ['ext-2-53', 'an integer above 2^53 - 1', raw([app, uint(9007199254740992n)])],
    ['ext-indefinite', 'an array until break', raw([app, unhex('9fff')])],
    ['ext-long-uint', 'an integer longer than needed', raw([app, uint(1, 1)])],
    ['ext-utf8', 'text that is not UTF-8', raw([app, concat(head(3, 1), unhex('ff'))])],
    [
      'ext-inner-unsorted',
      'an inner map not sorted',
      raw([
        app,
        mapItem([
          [textItem('b'), NULL],
          [textItem('a'), NULL],
        ]),
      ]),
    ],
    ['ext-inner-int-key', 'an integer key in an inner map', raw([app, mapItem([[uint(1), NULL]])])],
    ['ext-depth-9', 'nine arrays in each other', raw([app, nested(9, NULL)])],
    ['ext-depth-1000', 'a thousand arrays in each other', raw([app, nested(1000, NULL)])],
    ['ext-depth-15000', 'fifteen thousand arrays in each other', raw([app, nested(15000, NULL)])],
    ['size-16385', 'one byte above 16 KiB', paddedHeader(16385)],
    ['size-20000', 'far above 16 KiB', paddedHeader(20000)],
  ]
}

/** A header with an application value such that it has exactly `headerBytes` bytes. */
export function paddedHeader(headerBytes) {
  const padded = (length) =>
    encode([...plainHeader(), [], { 'example.com/padding': new Uint8Array(length) }])
  return padded(headerBytes - (padded(10000).length - 10000))
}

const REASON_TOO_LONG = 'r'.repeat(1025)

function refusedBranches() {
  return {
    branch: [
      branchStart().slice(0, 4),
      [...branchStart(), 0],
      branchStart({ 0: filled(15, 0) }),
      branchStart({ 0: null }),
      branchStart({ 1: -1 }),
      branchStart({ 2: 9007199254740992n }),
      branchStart({ 2: null }),
      branchStart({ 3: filled(31, 0) }),
      branchStart({ 4: REASON_TOO_LONG }),
      branchStart({ 4: null }),
      null,
      {},
    ],
    recover: [
      [null, null],
      [null, null, 'r', 0],
      [12, null, 'r'],
      [null, EMPTY_HASH, 'r'],
      [12, filled(31, 0), 'r'],
      [-1, EMPTY_HASH, 'r'],
      [null, null, REASON_TOO_LONG],
      [null, null, null],
      'text',
    ],
    writer: [filled(8193, 0), new Uint8Array(0), 'text', null, []],
  }
}

function refusedErasures() {
  return {
    erase: [
      [[[0, 1]]],
      [[[0, 1]], 'r', 0],
      [[], 'r'],
      [[[1, 1]], 'r'],
      [[[2, 1]], 'r'],
      [
        [
          [0, 1],
          [1, 2],
        ],
        'r',
      ],
      [
        [
          [0, 2],
          [1, 3],
        ],
        'r',
      ],
      [
        [
          [5, 6],
          [1, 2],
        ],
        'r',
      ],
      [
        [
          [0, 1],
          [0, 1],
        ],
        'r',
      ],
      [[[0]], 'r'],
      [[[0, 1, 2]], 'r'],
      [[0], 'r'],
      [[[-1, 1]], 'r'],
      [[[0, 9007199254740992n]], 'r'],
      [[[0, 1]], REASON_TOO_LONG],
      [[[0, 1]], null],
      [Array.from({ length: 1025 }, (_, at) => [at * 2, at * 2 + 1]), 'r'],
      [0],
      [],
      null,
    ],
  }
}

function refusedMerges() {
  const heads = sealedHeads(2)
  return {
    merge: [
      [MAIN],
      [MAIN, heads, 0],
      [MAIN, []],
      [MAIN, heads.toReversed()],
      [MAIN, [heads[0], heads[0]]],
      [heads[0][0], heads],
      [MAIN, [headPointer(MAIN)]],
      [filled(15, 0), heads],
      [MAIN, sealedHeads(65)],
      [MAIN, [headPointer(BRANCH, { 3: filled(31, 0) })]],
      [MAIN, [headPointer(BRANCH, { 2: -1 })]],
      [MAIN, [headPointer(BRANCH).slice(0, 3)]],
      [MAIN, [[...headPointer(BRANCH), filled(64, 0)]]],
      [null, heads],
      null,
    ],
  }
}

function controls() {
  const control = (ext, changes) => encode(controlHeader(ext, changes))
  const erase = [[[0, 1]], 'wish']
  const cases = [
    ['control-two', 'two commands in one entry', control({ erase, recover: [null, null, 'x'] })],
    ['control-kind-1', 'a command in a blinded entry', control({ erase }, { 0: 1 })],
    ['control-kind-2', 'a command in an encrypted entry', control({ erase }, { 0: 2 })],
    ['control-payload', 'a command with a payload', control({ erase }, { 2: 1 })],
    [
      'control-hash',
      'a command with another payload hash',
      control({ erase }, { 3: derived('x', 32) }),
    ],
  ]
  const values = { ...refusedBranches(), ...refusedErasures(), ...refusedMerges() }
  for (const [name, list] of Object.entries(values)) {
    for (const [at, value] of list.entries()) {
      cases.push([
        `${name}-${at}`,
        `${name} with a wrong shape, order or limit`,
        control({ [name]: value }),
      ])
    }
  }
  return cases
}

export function refusedHeaders() {
  return [
    ...fixedFields(),
    ...frames(),
    ...encodings(),
    ...pointers(),
    ...extensions(),
    ...controls(),
  ]
}
