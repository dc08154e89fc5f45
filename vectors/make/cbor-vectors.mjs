/** The CBOR subset: RFC 8949 core deterministic encoding with text keys, no floats, no tags. */
import { concat, filled, unhex, utf8 } from './bytes.mjs'
import {
  arrayItem,
  bytesItem,
  describe,
  encode,
  FALSE,
  FLOAT16_ZERO,
  FLOAT64_ONE,
  head,
  mapItem,
  NULL,
  negative,
  nested,
  TRUE,
  tagItem,
  textItem,
  UNDEFINED,
  uint,
} from './cbor.mjs'
import { VectorFile } from './vector-file.mjs'

const INTEGERS = [
  0, 1, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 1099511627776, 9007199254740991,
]

function addValid(file) {
  const accept = (id, comment, value) =>
    file.valid(id, comment, { bytes: encode(value), value: describe(value) })
  for (const value of INTEGERS) accept(`uint-${value}`, 'integer at a width boundary', value)
  for (const length of [0, 1, 23, 24, 255, 256]) {
    accept(`bytes-${length}`, 'byte string at a width boundary', filled(length, 0xa5))
    accept(`text-${length}`, 'text at a width boundary', 'a'.repeat(length))
    accept(`array-${length}`, 'array at a width boundary', Array(length).fill(0))
  }
  accept('null', 'simple value 22', null)
  accept('true', 'simple value 21', true)
  accept('false', 'simple value 20', false)
  accept('text-multibyte', 'two, three and four byte characters', 'é€𝄞')
  accept('text-byte-order-mark', 'U+FEFF at the start is part of the text', '\ufeffa')
  accept('text-nul', 'NUL is a character like any other here', 'a\u0000b')
  accept('map-empty', 'no pairs', new Map())
  accept(
    'map-order',
    'shorter keys first, equal lengths by bytes',
    new Map([
      ['b', 1],
      ['z', 2],
      ['aa', 3],
      ['aaa', 4],
    ]),
  )
  accept(
    'map-order-utf8',
    'order is by UTF-8 bytes, not by UTF-16 units: U+FFFD before U+10000 with equal lengths',
    new Map([
      ['\ufffda', 1],
      ['\u{10000}', 2],
    ]),
  )
  accept(
    'map-normal-forms',
    'composed and decomposed letters are different keys',
    new Map([
      ['\u00e9', 1],
      ['e\u0301', 2],
    ]),
  )
  accept(
    'map-proto-key',
    'a key that is special in JavaScript is data here',
    new Map([['__proto__', 1]]),
  )
  accept(
    'map-24-keys',
    'map head with one argument byte',
    new Map(Array.from({ length: 24 }, (_, at) => [String.fromCharCode(97 + at), at])),
  )
  accept('nested', 'arrays and maps in each other', [[[new Map([['a', [new Map()]]])]], []])
  accept('depth-8', 'eight arrays in each other', JSON.parse('[[[[[[[[0]]]]]]]]'))
}

/** [id, comment, bytes] of encodings that a decoder must refuse. */
function refusedIntegers() {
  const cases = []
  for (const [value, width] of [
    [0, 1],
    [23, 1],
    [0, 2],
    [255, 2],
    [0, 4],
    [65535, 4],
    [0, 8],
    [4294967295, 8],
  ]) {
    cases.push([`uint-${value}-in-${width}`, 'integer longer than needed', uint(value, width)])
  }
  cases.push(
    ['uint-2-53', 'above 2^53 - 1', uint(9007199254740992n)],
    ['uint-2-64', 'largest CBOR integer', uint(0xffffffffffffffffn)],
    ['negative-1', 'no negative integers outside COSE headers', negative(-1)],
    ['negative-min', 'smallest CBOR integer', head(1, 0xffffffffffffffffn)],
    ['bignum', 'tag 2', tagItem(2, bytesItem(filled(9, 1)))],
  )
  return cases
}

function refusedSimples() {
  const cases = [
    ['float16', '0.0', FLOAT16_ZERO],
    ['float32', '1.0', unhex('fa3f800000')],
    ['float64', '1.0', FLOAT64_ONE],
    ['float-nan', 'NaN', unhex('f97e00')],
    ['float-infinity', 'infinity', unhex('f97c00')],
    ['undefined', 'simple value 23', UNDEFINED],
    ['simple-0', 'unassigned simple value', unhex('e0')],
    ['simple-19', 'unassigned simple value', unhex('f3')],
    ['simple-false-long', 'false written with two bytes', unhex('f814')],
    ['simple-32', 'unassigned two-byte simple value', unhex('f820')],
    ['simple-255', 'unassigned two-byte simple value', unhex('f8ff')],
    ['break', 'a break without an open item', unhex('ff')],
    ['tag-0', 'tag on text', tagItem(0, textItem('2020-01-01T00:00:00Z'))],
    ['tag-18', 'a COSE tag inside the subset', tagItem(18, arrayItem([]))],
    ['tag-42', 'a CID link', tagItem(42, bytesItem(unhex('0001711220')))],
    ['tag-in-array', 'a tag below the top', arrayItem([tagItem(1, uint(0))])],
    ['float-in-map', 'a float below the top', mapItem([[textItem('a'), FLOAT16_ZERO]])],
    ['undefined-in-array', 'undefined below the top', arrayItem([UNDEFINED])],
  ]
  for (let info = 28; info <= 30; info += 1) {
    for (let major = 0; major < 8; major += 1) {
      const bytes = Uint8Array.of((major << 5) | info)
      cases.push([`reserved-${major}-${info}`, 'reserved additional information', bytes])
    }
  }
  return cases
}

function refusedLengths() {
  return [
    ['bytes-indefinite', 'chunks', unhex('5f4100ff')],
    ['text-indefinite', 'chunks', unhex('7f6161ff')],
    ['array-indefinite', 'array until break', unhex('9f00ff')],
    ['map-indefinite', 'map until break', unhex('bf616100ff')],
    ['uint-indefinite', 'additional information 31 on an integer', unhex('1f')],
    ['tag-indefinite', 'additional information 31 on a tag', unhex('df00')],
    ['bytes-long-head', 'length longer than needed', bytesItem(filled(1, 0), 1)],
    ['text-long-head', 'length longer than needed', textItem('a', 2)],
    ['array-long-head', 'length longer than needed', arrayItem([NULL], 4)],
    ['map-long-head', 'length longer than needed', mapItem([[textItem('a'), NULL]], 8)],
    [
      'bytes-2-64',
      'a length that no memory has',
      concat(head(2, 0xffffffffffffffffn), filled(8, 0)),
    ],
    ['bytes-2-31', 'two gigabytes announced, none there', head(2, 2147483648)],
    ['text-2-53', 'a length of 2^53 - 1', head(3, 9007199254740991n)],
    ['array-2-32', 'four thousand million items announced', head(4, 4294967295)],
    ['array-2-53', 'a count of 2^53 - 1', head(4, 9007199254740991n)],
    ['map-2-32', 'four thousand million pairs announced', head(5, 4294967295)],
    ['array-bomb', 'each item announces 2^16 more', concat(...Array(64).fill(head(4, 65535)))],
    ['depth-10000', 'ten thousand arrays in each other', nested(10000, NULL)],
    [
      'depth-map-2000',
      'two thousand maps in each other',
      concat(...Array(2000).fill(unhex('a16161')), NULL),
    ],
  ]
}

function refusedMaps() {
  const a = textItem('a')
  return [
    [
      'map-duplicate',
      'one key twice',
      mapItem([
        [a, TRUE],
        [a, FALSE],
      ]),
    ],
    [
      'map-duplicate-same',
      'one pair twice',
      mapItem([
        [a, TRUE],
        [a, TRUE],
      ]),
    ],
    [
      'map-unsorted',
      'b before a',
      mapItem([
        [textItem('b'), TRUE],
        [a, TRUE],
      ]),
    ],
    [
      'map-unsorted-length',
      'aa before b',
      mapItem([
        [textItem('aa'), TRUE],
        [textItem('b'), TRUE],
      ]),
    ],
    [
      'map-utf16-order',
      'U+10000 before U+FFFD, equal lengths',
      mapItem([
        [textItem('\u{10000}'), TRUE],
        [textItem('\ufffda'), TRUE],
      ]),
    ],
    ['map-key-uint', 'an integer as key', mapItem([[uint(1), TRUE]])],
    ['map-key-bytes', 'bytes as key', mapItem([[bytesItem(utf8('a')), TRUE]])],
    ['map-key-null', 'null as key', mapItem([[NULL, TRUE]])],
    ['map-key-array', 'an array as key', mapItem([[arrayItem([]), TRUE]])],
    [
      'map-key-long-head',
      'key with a longer head than needed',
      mapItem([[textItem('a', 1), TRUE]]),
    ],
    [
      'map-key-proto-twice',
      'a special key twice',
      mapItem([
        [textItem('__proto__'), TRUE],
        [textItem('__proto__'), TRUE],
      ]),
    ],
  ]
}

function refusedText() {
  const text = (bytes) => concat(head(3, bytes.length), bytes)
  return [
    ['utf8-lone-continuation', '80', text(unhex('80'))],
    ['utf8-truncated', 'first byte of two', text(unhex('c3'))],
    ['utf8-overlong', 'NUL in two bytes', text(unhex('c080'))],
    ['utf8-overlong-3', '/ in three bytes', text(unhex('e080af'))],
    ['utf8-surrogate', 'U+D800', text(unhex('eda080'))],
    ['utf8-surrogate-pair', 'CESU-8', text(unhex('eda081edb080'))],
    ['utf8-above', 'U+110000', text(unhex('f4908080'))],
    ['utf8-f8', 'a five-byte form', text(unhex('f888808080'))],
    ['utf8-in-key', 'an invalid key', mapItem([[text(unhex('ff')), NULL]])],
  ]
}

function refusedEnds() {
  const whole = encode(
    new Map([
      ['a', [1, filled(30, 7)]],
      ['b', 'text'],
    ]),
  )
  const cases = [
    ['empty', 'no bytes at all', new Uint8Array(0)],
    ['trailing-zero', 'a byte after the item', concat(NULL, filled(1, 0))],
    ['trailing-item', 'two items', concat(NULL, NULL)],
  ]
  for (let length = 1; length < whole.length; length += 1) {
    cases.push([`truncated-${length}`, `first ${length} bytes of a map`, whole.slice(0, length)])
  }
  for (const width of [1, 2, 4, 8]) {
    const bytes = uint(1, width).slice(0, -1)
    cases.push([`truncated-head-${width}`, 'argument cut off', bytes])
  }
  return cases
}

export function cborVectors() {
  const file = new VectorFile(
    'cbor',
    'The CBOR subset of manifests and headers. value: {uint}, {text}, {bytes}, {array}, {map: [[key, value]]} in encoded order, or null, true, false.',
  )
  addValid(file)
  const groups = [
    refusedIntegers,
    refusedSimples,
    refusedLengths,
    refusedMaps,
    refusedText,
    refusedEnds,
  ]
  for (const group of groups) {
    for (const [id, comment, bytes] of group()) {
      file.invalid(`bad-${id}`, comment, 'CBOR_INVALID', { bytes })
    }
  }
  return file
}
