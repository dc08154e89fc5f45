/** Manifests: the map, its COSE_Sign1, its name, and what a verifier must refuse. */
import { concat, derived, filled, unhex } from './bytes.mjs'
import { describe, encode, head, negative, TRUE, tagItem, textItem, uint } from './cbor.mjs'
import {
  ANY_POLICY,
  bodyFromPairs,
  capsuleManifest,
  coseSign1,
  manifestOfSize,
  nodeManifest,
  OWNER,
  ownerOnlyManifest,
  signedManifest,
} from './manifests.mjs'
import { formatName } from './name-vectors.mjs'
import { refusedSignatures, refusedStructures } from './refused-cose.mjs'
import { refusedContents } from './refused-manifests.mjs'
import { VectorFile } from './vector-file.mjs'

const names = (count) =>
  Array.from({ length: count }, (_, at) => derived(`domain ${at}`, 32)).sort(Buffer.compare)

function accept(file, id, comment, manifest) {
  const { body, name, signed } = signedManifest(manifest)
  file.valid(id, comment, {
    signed,
    body,
    name: formatName(name),
    owner: OWNER.publicKey,
    manifest: { ...manifest, ext: describe(manifest.ext) },
  })
}

function addCapsules(file) {
  accept(file, 'capsule', 'a strict capsule with nothing special', capsuleManifest())
  accept(file, 'branching', 'mode branching', capsuleManifest({ mode: 'branching' }))
  accept(file, 'blind', 'payloads are blinded by default', capsuleManifest({ blind: true }))
  accept(
    file,
    'authority',
    'amendments live in another capsule',
    capsuleManifest({
      authority: derived('authority', 32),
    }),
  )
  accept(
    file,
    'labels',
    'labels are a map of text to text',
    capsuleManifest({
      ext: { labels: { name: 'thermometer', 'ort/località': 'Zürich 🏔', '': 'the empty key' } },
    }),
  )
  accept(
    file,
    'label-sizes',
    'a key and a value of 256 bytes',
    capsuleManifest({
      ext: { labels: { ['k'.repeat(256)]: 'é'.repeat(128) } },
    }),
  )
  accept(
    file,
    'ext',
    'other keys of ext belong to applications',
    capsuleManifest({
      ext: { 'example.com/a': [1, 'two', filled(3, 3), null, true, { deep: [] }] },
    }),
  )
  accept(
    file,
    'ext-depth-8',
    'eight arrays in each other in a value of ext',
    capsuleManifest({ ext: { 'example.com/a': JSON.parse('[[[[[[[[0]]]]]]]]') } }),
  )
  const labels = new Map([['__proto__', 'a label like any other']])
  accept(
    file,
    'ext-proto',
    'keys that are special in JavaScript',
    capsuleManifest({
      ext: new Map([
        ['constructor', 1],
        ['labels', labels],
      ]),
    }),
  )
}

function addPolicies(file) {
  accept(
    file,
    'policy',
    'lists of trust domains, sorted, and copies',
    capsuleManifest({
      policy: { carry: names(3), copies: 64, exclude: names(1), hold: names(64), read: 'any' },
    }),
  )
  accept(
    file,
    'policy-empty-lists',
    'nobody may hold, carry or read',
    capsuleManifest({
      policy: { carry: [], copies: 1, exclude: [], hold: [], read: [] },
    }),
  )
}

function addOthers(file) {
  for (const time of [0, 1, 4294967296, 9007199254740991]) {
    accept(file, `time-${time}`, 'time at a width boundary', capsuleManifest({ time }))
  }
  accept(file, 'node', 'a node lists six keys, sorted by use', nodeManifest())
  for (const type of ['person', 'organisation', 'domain']) {
    accept(file, type, 'the owner key alone', ownerOnlyManifest(type))
  }
  accept(file, 'size-16384', 'exactly 16 KiB', manifestOfSize(16384))
}

/** Encodings of a good manifest that are not its one spelling. */
function refusedEncodings() {
  const good = capsuleManifest()
  const pairs = (change) => bodyFromPairs(good, change)
  const body = encode(good)
  const at = (list, name) => list.findIndex(([item]) => Buffer.compare(item, textItem(name)) === 0)
  const replace = (name, item) => pairs((list) => list.with(at(list, name), [textItem(name), item]))
  return [
    [
      'key-order',
      'the first two keys exchanged',
      pairs((list) => [list[1], list[0], ...list.slice(2)]),
    ],
    ['duplicate', 'one pair twice', pairs((list) => [list[0], ...list])],
    [
      'duplicate-other',
      'v twice with different values',
      pairs((list) => {
        const place = at(list, 'v')
        return [
          ...list.slice(0, place),
          [textItem('v'), uint(1)],
          [textItem('v'), uint(2)],
          ...list.slice(place + 1),
        ]
      }),
    ],
    ['long-uint', 'v = 1 in two bytes', replace('v', uint(1, 1))],
    ['long-time', 'time in eight bytes although four are enough', replace('time', uint(7, 8))],
    ['long-text', 'the length of a text in two bytes', replace('mode', textItem('strict', 1))],
    ['long-map', 'the map head longer than needed', concat(unhex('b80c'), body.slice(1))],
    ['indefinite', 'a map until break', concat(unhex('bf'), body.slice(1), unhex('ff'))],
    ['time-2-53', 'an integer above 2^53 - 1', replace('time', uint(9007199254740992n))],
    ['time-negative', 'a negative integer', replace('time', negative(-1))],
    ['time-float', 'a float', replace('time', unhex('fb41d9b1c7c1400000'))],
    ['time-tag', 'a tag', replace('time', tagItem(1, uint(7)))],
    ['blind-undefined', 'undefined', replace('blind', unhex('f7'))],
    ['key-uint', 'an integer key', pairs((list) => [[uint(1), TRUE], ...list])],
    ['trailing', 'a byte after the map', concat(body, filled(1, 0))],
    ['truncated', 'the last byte missing', body.slice(0, -1)],
    ['empty', 'no body', new Uint8Array(0)],
    ['tagged', 'a tag on the map', tagItem(55799, body)],
    ['utf8', 'text that is not UTF-8', replace('mode', concat(head(3, 2), unhex('c328')))],
  ]
}

export function manifestVectors() {
  const file = new VectorFile(
    'manifest',
    'Signed manifests. Valid: signed decodes to manifest (keys as in the encoded map; ext as typed values, see cbor.json), and name is the name of body. Invalid: opening signed (expecting name, where given) fails with code.',
  )
  addCapsules(file)
  addPolicies(file)
  addOthers(file)
  for (const [id, comment, code, manifest] of refusedContents()) {
    file.invalid(`bad-${id}`, comment, code, { signed: signedManifest(manifest).signed })
  }
  for (const [id, comment, body] of refusedEncodings()) {
    file.invalid(`bad-body-${id}`, comment, 'CBOR_INVALID', { signed: coseSign1({ body }) })
  }
  const notMap = encode([ANY_POLICY])
  file.invalid('bad-body-array', 'an array instead of the map', 'MANIFEST_INVALID', {
    signed: coseSign1({ body: notMap }),
  })
  for (const [id, comment, signed] of refusedStructures()) {
    file.invalid(`bad-cose-${id}`, comment, 'COSE_INVALID', { signed })
  }
  for (const [id, comment, signed] of refusedSignatures()) {
    file.invalid(`bad-signature-${id}`, comment, 'BAD_SIGNATURE', { signed })
  }
  file.invalid('bad-name', 'a good manifest, but not the one that was asked for', 'NAME_MISMATCH', {
    signed: signedManifest(capsuleManifest()).signed,
    name: formatName(derived('name', 32)),
  })
  return file
}
