/** Manifests that list ML-DSA-44 keys, and their countersignatures. */
import { filled, flipBit } from './bytes.mjs'
import { bytesItem, encode, mapItem, negative, textItem, uint } from './cbor.mjs'
import {
  capsuleManifest,
  coseSign1,
  keyEntry,
  OWNER,
  PROTECTED,
  signedManifest,
  sigStructure,
  WRITER,
} from './manifests.mjs'
import { mlDsaKey } from './ml-dsa.mjs'
import { formatName } from './name-vectors.mjs'
import {
  capsuleKeys,
  countersigned,
  countersignStructure,
  jointManifest,
  jointSign1,
  OWNER_PQ,
  PQ_CAPSULE,
  PQ_MANIFEST,
  postQuantumNode,
  secondEntry,
  TEXT_LABEL,
  WRITER_PQ,
} from './post-quantum.mjs'

const owner = keyEntry('owner', OWNER.publicKey)
const writer = keyEntry('writer', WRITER.publicKey)
const BODY = PQ_CAPSULE.body
const SIGNATURE = OWNER.sign(sigStructure(PROTECTED, BODY))
const COUNTERSIGNATURE = OWNER_PQ.sign(countersignStructure(BODY, SIGNATURE))

function addValid(file) {
  const accept = (id, comment, { name, signed }, keys) => {
    file.valid(`manifest-${id}`, comment, {
      kind: 'manifest',
      signed,
      name: formatName(name),
      keys,
    })
  }
  accept('both', 'owner and writer have two keys', PQ_CAPSULE, PQ_MANIFEST.keys)
  const onlyOwner = capsuleManifest({ keys: capsuleKeys({ writer: null }) })
  accept('owner', 'the owner alone has two', jointManifest(onlyOwner), onlyOwner.keys)
  const onlyWriter = capsuleManifest({ keys: capsuleKeys({ owner: null }) })
  const comment = 'the writer alone has two: nothing is countersigned'
  accept('writer', comment, signedManifest(onlyWriter), onlyWriter.keys)
  const person = capsuleManifest({ t: 'person', keys: [owner, secondEntry('owner', OWNER_PQ)] })
  accept('person', 'a person', jointManifest(person), person.keys)
  const node = postQuantumNode('pq node')
  accept('node', 'a node whose mirror and witness have two', signedManifest(node), node.keys)
}

/** Messages around a good body. */
function refusedMessages() {
  const wrap = (unprotected) => coseSign1({ body: BODY, unprotected })
  const changed = (header) => jointSign1(BODY, { header })
  const [bad, cose] = ['BAD_SIGNATURE', 'COSE_INVALID']
  const otherBody = encode(capsuleManifest({ keys: capsuleKeys(), blind: true }))
  const other = OWNER_PQ.sign(countersignStructure(otherBody, SIGNATURE))
  const plain = encode(capsuleManifest())
  const plainSignature = OWNER.sign(sigStructure(PROTECTED, plain))
  const unasked = OWNER_PQ.sign(countersignStructure(plain, plainSignature))
  const altered = flipBit(SIGNATURE, 40)
  const overAltered = OWNER_PQ.sign(countersignStructure(BODY, altered))
  const short = COUNTERSIGNATURE.slice(1)
  const twoLabels = mapItem([
    [uint(4), bytesItem(filled(1, 1))],
    [uint(11), countersigned(COUNTERSIGNATURE).slice(2)],
  ])
  return [
    ['stripped', 'no countersignature', 'SIGNATURE_MISSING', wrap(mapItem([]))],
    ['altered', 'a bit of it', bad, wrap(countersigned(flipBit(COUNTERSIGNATURE, 500)))],
    ['stranger', 'by another ML-DSA-44 key', bad, jointSign1(BODY, { second: mlDsaKey('x') })],
    ['by-writer', "by the writer's key", bad, jointSign1(BODY, { second: WRITER_PQ })],
    ['other-body', 'of another body', bad, wrap(countersigned(other))],
    [
      'as-signature',
      'of the Sig_structure',
      bad,
      wrap(countersigned(OWNER_PQ.sign(sigStructure(PROTECTED, BODY)))),
    ],
    [
      'unasked',
      'by an owner that lists no such key',
      bad,
      coseSign1({ body: plain, unprotected: countersigned(unasked) }),
    ],
    [
      'first-altered',
      'the first signature does not hold, the second does',
      bad,
      coseSign1({ body: BODY, signature: altered, unprotected: countersigned(overAltered) }),
    ],
    ['short', 'of 2419 bytes', cose, wrap(countersigned(short))],
    [
      'algorithm',
      'ML-DSA-65',
      cose,
      changed({ protectedBytes: mapItem([[uint(1), negative(-49)]]) }),
    ],
    [
      'no-algorithm',
      'an empty protected header',
      cose,
      changed({ protectedBytes: new Uint8Array(0) }),
    ],
    [
      'inner',
      'something in its unprotected header',
      cose,
      changed({ inner: mapItem([[uint(4), bytesItem(filled(1, 1))]]) }),
    ],
    ['abbreviated', 'label 12', cose, changed({ label: uint(12) })],
    ['label-1', 'label 7, of version 1', cose, changed({ label: uint(7) })],
    ['label-long', 'label 11 in two bytes', cose, changed({ label: uint(11, 1) })],
    ['label-text', 'the text 11 as label', cose, changed({ label: TEXT_LABEL })],
    ['beside', 'a key identifier beside it', cose, wrap(twoLabels)],
    ['text', 'a text instead of a header', cose, wrap(textItem('none'))],
  ]
}

/** Bodies whose list of keys is not one. */
function refusedKeys() {
  const second = secondEntry('owner', OWNER_PQ)
  const secondWriter = secondEntry('writer', WRITER_PQ)
  const short = keyEntry('owner', OWNER_PQ.publicKey.slice(1), 'ml-dsa-44')
  const invalid = 'MANIFEST_INVALID'
  const node = (use) => postQuantumNode('pq node', [use])
  return [
    ['before', 'the ML-DSA-44 key first', invalid, [second, owner, writer]],
    ['alone', 'no Ed25519 key beside it', invalid, [second, writer]],
    ['twice', 'two of one use', invalid, [owner, second, secondEntry('owner', WRITER_PQ), writer]],
    ['apart', 'not right behind the Ed25519 key', invalid, [owner, writer, second]],
    ['crossed', 'behind the key of another use', invalid, [owner, secondWriter, writer]],
    [
      'shared',
      'one key for two uses',
      invalid,
      [owner, second, writer, secondEntry('writer', OWNER_PQ)],
    ],
    ['short', 'a key of 1311 bytes', invalid, [owner, short, writer]],
    [
      'length',
      'an Ed25519 key that says ml-dsa-44',
      invalid,
      [owner, keyEntry('owner', OWNER.publicKey, 'ml-dsa-44'), writer],
    ],
    [
      'identity',
      'for a use that this version cannot check',
      'CRYPTO_UNSUPPORTED',
      node('identity').keys,
    ],
    ['tls', 'for TLS, which signs by itself', 'CRYPTO_UNSUPPORTED', node('tls').keys],
    [
      'head-log',
      'for a use that this version cannot check',
      'CRYPTO_UNSUPPORTED',
      node('head-log').keys,
    ],
  ]
}

export function postQuantumManifests(file) {
  addValid(file)
  for (const [id, comment, code, signed] of refusedMessages()) {
    file.invalid(`manifest-${id}`, comment, code, { kind: 'manifest', signed })
  }
  for (const [id, comment, code, keys] of refusedKeys()) {
    const t = code === 'CRYPTO_UNSUPPORTED' ? 'node' : 'capsule'
    const { signed } = jointManifest(capsuleManifest({ t, keys }))
    file.invalid(`keys-${id}`, comment, code, { kind: 'manifest', signed })
  }
}
