/** Well-encoded, well-signed manifests whose contents a verifier must refuse. */
import { derived, filled, utf8 } from './bytes.mjs'
import { key } from './keys.mjs'
import {
  ANY_POLICY,
  capsuleManifest,
  keyEntry,
  manifestOfSize,
  nodeManifest,
  OWNER,
  ownerOnlyManifest,
  WRITER,
} from './manifests.mjs'

const INVALID = 'MANIFEST_INVALID'
const owner = keyEntry('owner', OWNER.publicKey)
const writer = keyEntry('writer', WRITER.publicKey)

function without(map, name) {
  const { [name]: _, ...rest } = map
  return rest
}

function sortedNames(count) {
  return Array.from({ length: count }, (_, at) => derived(`domain ${at}`, 32)).sort(Buffer.compare)
}

function topLevel() {
  const good = capsuleManifest()
  const cases = [
    ['unknown-key', 'a key that version 1 does not have', INVALID, { ...good, x: 1 }],
    ['empty-key', 'an empty text as key', INVALID, { ...good, '': 1 }],
  ]
  for (const name of Object.keys(good)) {
    cases.push([`missing-${name}`, 'every key is always present', INVALID, without(good, name)])
  }
  for (const [name, values] of Object.entries({
    authority: [filled(31, 1), filled(33, 1), new Uint8Array(0), 'text', 0, false],
    blind: [0, null, 'true'],
    crit: [null, 'x', {}, [1]],
    crypto: [null, 1],
    ext: [null, [], 'x'],
    keys: [null, {}, []],
    mode: ['fork', '', 'Strict', 0, null],
    nonce: [filled(15, 1), filled(17, 1), new Uint8Array(0), '0123456789abcdef', null],
    policy: [null, [], 'any'],
    t: ['router', '', 'Capsule', 0, null],
    time: [null, 'now', filled(8, 0)],
    v: [0, 2, '1', null],
  })) {
    for (const [at, value] of values.entries()) {
      const changed = capsuleManifest({ [name]: value })
      cases.push([`${name}-${at}`, `${name} of another type, length or value`, INVALID, changed])
    }
  }
  cases.push(
    [
      'crit-unknown',
      'an extension that this version does not understand',
      'CRIT_UNKNOWN',
      capsuleManifest({
        crit: ['example.com/must'],
        ext: { 'example.com/must': 1 },
      }),
    ],
    [
      'crypto-unknown',
      'another suite',
      'CRYPTO_UNSUPPORTED',
      capsuleManifest({ crypto: 'sha512-ed448' }),
    ],
    ['crypto-empty', 'an empty suite', 'CRYPTO_UNSUPPORTED', capsuleManifest({ crypto: '' })],
  )
  return cases
}

function keyLists() {
  const keys = (list) => capsuleManifest({ keys: list })
  const stranger = key('stranger').publicKey
  return [
    ['keys-no-owner', 'the owner key is missing', INVALID, keys([writer])],
    ['keys-no-writer', 'the writer key is missing', INVALID, keys([owner])],
    [
      'keys-owner-is-writer',
      'one key, one role',
      INVALID,
      keys([owner, keyEntry('writer', OWNER.publicKey)]),
    ],
    [
      'keys-two-writers',
      'two keys with one use',
      INVALID,
      keys([owner, writer, keyEntry('writer', stranger)]),
    ],
    ['keys-order', 'not sorted by use', INVALID, keys([writer, owner])],
    [
      'keys-extra',
      'a capsule with an identity key',
      INVALID,
      keys([keyEntry('identity', stranger), owner, writer]),
    ],
    [
      'keys-unknown-use',
      'a use that version 1 does not have',
      INVALID,
      keys([keyEntry('admin', stranger), owner, writer]),
    ],
    [
      'keys-unknown-alg',
      'an algorithm that nobody registered',
      INVALID,
      keys([owner, keyEntry('writer', WRITER.publicKey, 'rsa')]),
    ],
    [
      'keys-ml-dsa',
      'an ML-DSA-44 key, and no signature by it (more in post-quantum.json)',
      'SIGNATURE_MISSING',
      keys([
        keyEntry('owner', OWNER.publicKey),
        keyEntry('owner', derived('ml-dsa-44', 1312), 'ml-dsa-44'),
        writer,
      ]),
    ],
  ]
}

function keyEntries() {
  const keys = (list) => capsuleManifest({ keys: list })
  const smallOrder = filled(32, 0).with(0, 1)
  return [
    [
      'keys-31',
      'a key of 31 bytes',
      INVALID,
      keys([owner, keyEntry('writer', WRITER.publicKey.slice(1))]),
    ],
    ['keys-33', 'a key of 33 bytes', INVALID, keys([owner, keyEntry('writer', filled(33, 9))])],
    ['keys-text', 'a key as text', INVALID, keys([owner, keyEntry('writer', 'key')])],
    [
      'keys-small-order',
      'a writer key of small order',
      'BAD_KEY',
      keys([owner, keyEntry('writer', smallOrder)]),
    ],
    [
      'keys-not-canonical',
      'a writer key with y above p',
      'BAD_KEY',
      keys([owner, keyEntry('writer', filled(32, 0xff))]),
    ],
    [
      'keys-entry-unknown',
      'an unknown key in an entry',
      INVALID,
      keys([owner, { ...writer, id: 1 }]),
    ],
    ['keys-entry-no-alg', 'no algorithm', INVALID, keys([owner, without(writer, 'alg')])],
    [
      'keys-entry-array',
      'an array instead of a map',
      INVALID,
      keys([owner, ['ed25519', WRITER.publicKey, 'writer']]),
    ],
    ['keys-many', 'a hundred keys', INVALID, keys(Array(100).fill(owner))],
  ]
}

function keysOfOtherTypes() {
  const node = nodeManifest()
  return [
    [
      'node-no-mirror',
      'a node without its mirror key',
      INVALID,
      {
        ...node,
        keys: node.keys.filter(({ use }) => use !== 'mirror'),
      },
    ],
    ['node-writer', 'a node with a writer key', INVALID, { ...node, keys: [...node.keys, writer] }],
    [
      'node-one-key',
      'a node whose mirror and witness share a key',
      INVALID,
      {
        ...node,
        keys: node.keys.map((entry) => ({
          ...entry,
          key: entry.use === 'witness' ? node.keys[2].key : entry.key,
        })),
      },
    ],
    [
      'person-writer',
      'a person has no writer key',
      INVALID,
      { ...ownerOnlyManifest('person'), keys: [owner, writer] },
    ],
    [
      'capsule-keys-of-node',
      'a node manifest that calls itself capsule',
      INVALID,
      { ...node, t: 'capsule' },
    ],
  ]
}

function policies() {
  const policy = (changes) => capsuleManifest({ policy: { ...ANY_POLICY, ...changes } })
  const names = sortedNames(3)
  const cases = [
    ['policy-unknown', 'an unknown key', policy({ quorum: 2 })],
    ['policy-copies-0', 'no copies', policy({ copies: 0 })],
    ['policy-copies-65', 'too many copies', policy({ copies: 65 })],
    ['policy-copies-text', 'a number as text', policy({ copies: '3' })],
    ['policy-word', 'a word that is not any', policy({ hold: 'all' })],
    ['policy-exclude-any', 'nobody can be excluded by any', policy({ exclude: 'any' })],
    ['policy-null', 'null instead of a list', policy({ read: null })],
    ['policy-unsorted', 'names not sorted', policy({ hold: names.toReversed() })],
    ['policy-twice', 'a name twice', policy({ hold: [names[0], names[0]] })],
    ['policy-31', 'a name of 31 bytes', policy({ carry: [filled(31, 1)] })],
    ['policy-text', 'a name as text', policy({ carry: ['domain'] })],
    ['policy-65', '65 names', policy({ exclude: sortedNames(65) })],
  ]
  for (const name of Object.keys(ANY_POLICY)) {
    const changed = capsuleManifest({ policy: without(ANY_POLICY, name) })
    cases.push([`policy-missing-${name}`, 'every key is always present', changed])
  }
  return cases.map(([id, comment, manifest]) => [id, comment, INVALID, manifest])
}

function extensions() {
  const labels = (value) => capsuleManifest({ ext: { labels: value } })
  return [
    ['labels-list', 'labels must be a map', INVALID, labels(['a'])],
    ['labels-empty', 'without labels the key is left out', INVALID, labels({})],
    ['labels-number', 'a value that is not text', INVALID, labels({ a: 1 })],
    ['labels-bytes', 'a value that is bytes', INVALID, labels({ a: utf8('b') })],
    ['labels-value-257', 'a value of 257 bytes', INVALID, labels({ a: 'b'.repeat(257) })],
    ['labels-value-utf8', '129 letters of two bytes', INVALID, labels({ a: 'é'.repeat(129) })],
    ['labels-key-257', 'a key of 257 bytes', INVALID, labels({ ['a'.repeat(257)]: 'b' })],
    [
      'ext-depth-9',
      'nine arrays in each other in a value of ext',
      'CBOR_INVALID',
      capsuleManifest({ ext: { 'example.com/a': JSON.parse('[[[[[[[[[0]]]]]]]]]') } }),
    ],
    ['size-16385', 'one byte above 16 KiB', INVALID, manifestOfSize(16385)],
    ['size-20000', 'far above 16 KiB', INVALID, manifestOfSize(20000)],
  ]
}

/** [id, comment, code, manifest] */
export function refusedContents() {
  return [
    ...topLevel(),
    ...keyLists(),
    ...keyEntries(),
    ...keysOfOtherTypes(),
    ...policies(),
    ...extensions(),
  ]
}
