/** Entry headers, the Merkle leaves of a capsule: one spelling each. */
import { concat, derived, filled, hex, sha256 } from './bytes.mjs'
import { describe, encode } from './cbor.mjs'
import {
  BRANCH,
  branchStart,
  controlHeader,
  EMPTY_HASH,
  headPointer,
  MAIN,
  PAYLOAD,
  plainHeader,
  pointer,
  SALT,
  sealedHeads,
} from './headers.mjs'
import { leafHash } from './merkle.mjs'
import { paddedHeader, refusedHeaders } from './refused-headers.mjs'
import { VectorFile } from './vector-file.mjs'

const CONTROL_KEYS = new Set(['branch', 'erase', 'merge', 'recover', 'writer'])

const describeHeadPointer = ([branch, epoch, size, root]) => ({ branch, epoch, size, root })

const DESCRIBE_CONTROL = {
  branch: ([parentBranch, epoch, size, root, reason]) => ({
    parentBranch,
    epoch,
    size,
    root,
    reason,
  }),
  erase: ([ranges, reason]) => ({ ranges, reason }),
  merge: ([continuing, sealed]) => ({ continuing, sealed: sealed.map(describeHeadPointer) }),
  recover: ([anchorSize, anchorRoot, reason]) => ({ anchorSize, anchorRoot, reason }),
  writer: (cert) => ({ cert }),
}

function describeHeader([kind, timeUs, payloadBytes, payloadHash, pointers = [], ext = {}]) {
  const entries = ext instanceof Map ? [...ext] : Object.entries(ext)
  const control = entries.find(([name]) => CONTROL_KEYS.has(name))
  const app = entries.filter(([name]) => !CONTROL_KEYS.has(name))
  return {
    kind,
    timeUs,
    payloadBytes,
    payloadHash,
    pointers: pointers.map(([capsule, branch, index, leaf]) => ({
      capsule,
      branch,
      index,
      leafHash: leaf,
    })),
    control:
      control === undefined
        ? null
        : { type: control[0], ...DESCRIBE_CONTROL[control[0]](control[1]) },
    app: describe(new Map(app)).map,
  }
}

function accept(file, id, comment, header, more = {}) {
  const bytes = encode(header)
  file.valid(id, comment, {
    bytes,
    leafHash: leafHash(bytes),
    header: describeHeader(header),
    ...more,
  })
}

function addPlain(file) {
  accept(file, 'plain', 'SHA-256 of the payload', plainHeader(), {
    body: PAYLOAD,
    payload: PAYLOAD,
  })
  const blinded = concat(SALT, PAYLOAD)
  accept(
    file,
    'blinded',
    'SHA-256 of salt and payload; the size is without the salt',
    plainHeader({ 0: 1, 3: sha256(blinded) }),
    {
      body: blinded,
      payload: PAYLOAD,
    },
  )
  const envelope = derived('ciphertext envelope', 57)
  accept(
    file,
    'encrypted',
    'size and hash of the envelope',
    plainHeader({ 0: 2, 2: 57, 3: sha256(envelope) }),
    {
      body: envelope,
      payload: envelope,
    },
  )
  accept(file, 'empty-payload', 'no bytes', plainHeader({ 2: 0, 3: EMPTY_HASH }), {
    body: new Uint8Array(0),
    payload: new Uint8Array(0),
  })
  accept(
    file,
    'empty-blinded',
    'a salt and no bytes',
    plainHeader({ 0: 1, 2: 0, 3: sha256(SALT) }),
    {
      body: SALT,
      payload: new Uint8Array(0),
    },
  )
  for (const timeUs of [
    0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 9007199254740991,
  ]) {
    accept(file, `time-${timeUs}`, 'time at a width boundary', plainHeader({ 1: timeUs }))
  }
  for (const payloadBytes of [0, 23, 24, 255, 256, 65535, 65536, 1048576]) {
    for (const kind of [0, 1, 2]) {
      const header = plainHeader({ 0: kind, 2: payloadBytes })
      accept(file, `payload-bytes-${payloadBytes}-kind-${kind}`, 'size at a width boundary', header)
    }
  }
}

function addPointers(file) {
  const many = Array.from({ length: 64 }, (_, at) =>
    pointer({ 2: at, 3: derived(`leaf ${at}`, 32) }),
  )
  const accepted = [
    ['pointer', 'an entry of another capsule', [pointer()]],
    ['pointer-own', 'null is the capsule that the entry is in', [pointer({ 0: null })]],
    ['pointer-branch', 'an entry of a branch', [pointer({ 1: BRANCH })]],
    ['pointer-index-max', 'the largest index', [pointer({ 2: 9007199254740990 })]],
    [
      'pointers-twice',
      "order and repetition are the application's own",
      [pointer(), pointer({ 2: 3 }), pointer()],
    ],
    ['pointers-64', 'as many as fit', many],
  ]
  for (const [id, comment, pointers] of accepted) {
    accept(file, id, comment, [...plainHeader(), pointers])
  }
}

function addApplicationExtensions(file) {
  const ext = (id, comment, value) => accept(file, id, comment, [...plainHeader(), [], value])
  ext('ext-text', 'an application key contains a /', { 'example.com/lang': 'de' })
  ext('ext-many', 'several keys of all types', {
    'a/b': 0,
    'a/c': 9007199254740991,
    'b/a': filled(3, 0xff),
    'example.com/array': [1, [2, [3]]],
    'example.com/map': { b: 1, aa: null },
    'example.com/null': null,
    'example.com/true': true,
  })
  ext(
    'ext-proto',
    'keys that are special in JavaScript',
    new Map([
      ['__proto__/x', new Map([['__proto__', 1]])],
      ['a/constructor', 2],
    ]),
  )
  ext('ext-depth-8', 'eight arrays in each other', { 'a/b': JSON.parse('[[[[[[[[1]]]]]]]]') })
  accept(file, 'ext-and-pointers', 'pointers and an extension', [
    ...plainHeader(),
    [pointer()],
    { 'example.com/lang': 'de' },
  ])
  const bytes = paddedHeader(16384)
  file.valid('size-16384', 'exactly 16 KiB', { bytes, leafHash: leafHash(bytes) })
}

function addControls(file) {
  const control = (id, comment, ext) => accept(file, id, comment, controlHeader(ext))
  control('branch', 'first entry of a branch', { branch: branchStart() })
  control('branch-of-branch', 'a branch from a branch, epoch 3', {
    branch: branchStart({ 0: BRANCH, 1: 3 }),
  })
  control('branch-reason-1024', 'the longest reason', {
    branch: branchStart({ 4: 'é'.repeat(512) }),
  })
  control('merge', 'the main branch continues, one other is sealed', {
    merge: [MAIN, [headPointer(BRANCH)]],
  })
  control('merge-into-branch', 'a branch continues, the main branch is sealed', {
    merge: [BRANCH, [headPointer(MAIN)]],
  })
  control('merge-64', 'as many as fit', { merge: [MAIN, sealedHeads(64)] })
  control('erase', 'one payload', { erase: [[[3, 4]], 'asked for by the person'] })
  control('erase-many', 'several ranges and an empty reason', {
    erase: [
      [
        [0, 1],
        [2, 9],
        [100, 101],
      ],
      '',
    ],
  })
  control('erase-1024', 'as many as fit', {
    erase: [Array.from({ length: 1024 }, (_, at) => [at * 2, at * 2 + 1]), 'r'],
  })
  control('recover', 'the operator states that there is no other copy, anchor unknown', {
    recover: [null, null, 'disk replaced'],
  })
  control('recover-anchor', 'the anchor that was found', {
    recover: [12, derived('anchor root', 32), 'home copied'],
  })
  control('writer', 'a writer certificate, carried as it is', {
    writer: derived('certificate', 200),
  })
  control('writer-8192', 'the largest certificate', { writer: filled(8192, 0x5a) })
  accept(
    file,
    'control-time',
    'a command at another time',
    controlHeader({ erase: [[[0, 1]], ''] }, { 1: 5 }),
  )
  accept(
    file,
    'control-pointer',
    'a command with a pointer',
    controlHeader({ erase: [[[0, 1]], ''] }, { 4: [pointer()] }),
  )
  control('control-and-app', 'a command and an application key', {
    erase: [[[0, 1]], ''],
    'example.com/ticket': 'A-17',
  })
}

/** Bodies that do not fit a good header. */
function addBodies(file) {
  const blinded = concat(SALT, PAYLOAD)
  const cases = [
    ['flipped', 'one bit', plainHeader(), PAYLOAD.with(2, PAYLOAD[2] ^ 1)],
    ['shorter', 'one byte missing', plainHeader(), PAYLOAD.slice(0, -1)],
    ['longer', 'one byte more', plainHeader(), concat(PAYLOAD, filled(1, 0))],
    ['empty', 'nothing', plainHeader(), new Uint8Array(0)],
    ['size', 'the hash fits, the size does not', plainHeader({ 2: PAYLOAD.length + 1 }), PAYLOAD],
    [
      'no-salt',
      'the payload of a blinded entry without its salt',
      plainHeader({ 0: 1, 3: sha256(blinded) }),
      PAYLOAD,
    ],
    [
      'salt',
      'another salt',
      plainHeader({ 0: 1, 3: sha256(blinded) }),
      concat(filled(16, 0), PAYLOAD),
    ],
    ['salt-as-payload', 'a plain entry with salt', plainHeader({ 3: sha256(blinded) }), blinded],
    [
      'short-salt',
      'a blinded body shorter than a salt',
      plainHeader({ 0: 1, 2: 0, 3: sha256(filled(8, 1)) }),
      filled(8, 1),
    ],
  ]
  for (const [id, comment, header, body] of cases) {
    file.invalid(`bad-body-${id}`, comment, 'PAYLOAD_MISMATCH', { bytes: encode(header), body })
  }
}

export function headerVectors() {
  const file = new VectorFile(
    'header',
    'Entry headers. Valid: bytes decodes to header and encodes back; leafHash is its Merkle leaf; body, where given, opens to payload. Invalid: with body, opening the body fails; without, decoding bytes fails.',
  )
  addPlain(file)
  addPointers(file)
  addApplicationExtensions(file)
  addControls(file)
  for (const [id, comment, bytes] of refusedHeaders()) {
    const known = file.cases.find((other) => other.valid && hex(other.bytes) === hex(bytes))
    if (known !== undefined) throw new Error(`${id} is the valid case ${known.id}`)
    file.invalid(`bad-${id}`, comment, 'HEADER_INVALID', { bytes })
  }
  addBodies(file)
  return file
}
