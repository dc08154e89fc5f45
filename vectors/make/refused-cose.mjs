/** COSE_Sign1 structures and signatures that a verifier must refuse. */
import { concat, derived, filled, flipBit, unhex, utf8 } from './bytes.mjs'
import {
  arrayItem,
  bytesItem,
  encode,
  mapItem,
  NULL,
  negative,
  tagItem,
  textItem,
  uint,
} from './cbor.mjs'
import { key } from './keys.mjs'
import {
  CONTENT_TYPE,
  capsuleManifest,
  coseSign1,
  keyEntry,
  OWNER,
  PROTECTED,
  signedManifest,
  sigStructure,
  WRITER,
} from './manifests.mjs'

/** The parts of a good COSE_Sign1, as CBOR items. */
function goodParts() {
  const { body, signed } = signedManifest(capsuleManifest())
  const signature = OWNER.sign(sigStructure(PROTECTED, body))
  const parts = [bytesItem(PROTECTED), mapItem([]), bytesItem(body), bytesItem(signature)]
  return { body, signed, signature, parts }
}

const ALG = [uint(1), negative(-19)]
const TYPE = [uint(3), textItem(CONTENT_TYPE)]

function refusedFrames() {
  const { body, signed, parts } = goodParts()
  return [
    ['untagged', 'no tag 18', arrayItem(parts)],
    ['tag-17', 'the tag of COSE_Mac0', tagItem(17, arrayItem(parts))],
    ['tag-98', 'the tag of COSE_Sign', tagItem(98, arrayItem(parts))],
    ['tag-twice', 'tag 18 twice', tagItem(18, signed)],
    ['tag-long', 'tag 18 in two bytes', concat(unhex('d812'), signed.slice(1))],
    ['tag-cbor', 'the self-described CBOR tag before', tagItem(55799, signed)],
    ['three-items', 'no signature', tagItem(18, arrayItem(parts.slice(0, 3)))],
    ['five-items', 'an item more', tagItem(18, arrayItem([...parts, NULL]))],
    ['long-array', 'the array head longer than needed', tagItem(18, arrayItem(parts, 1))],
    ['indefinite', 'an array until break', tagItem(18, concat(unhex('9f'), ...parts, unhex('ff')))],
    [
      'protected-map',
      'the protected header not wrapped',
      tagItem(18, arrayItem([PROTECTED, ...parts.slice(1)])),
    ],
    ['trailing', 'a byte after the structure', concat(signed, filled(1, 0))],
    ['truncated', 'the last byte missing', signed.slice(0, -1)],
    ['empty', 'nothing', new Uint8Array(0)],
    ['body-only', 'the unsigned body', body],
  ]
}

/** Protected headers that do not say exactly Ed25519 and our content type. */
function refusedProtected() {
  const { body } = goodParts()
  const cose = (changes) => coseSign1({ body, ...changes })
  const protectedAs = (pairs) => cose({ protectedBytes: mapItem(pairs) })
  return [
    ['protected-empty', 'an empty protected header', cose({ protectedBytes: new Uint8Array(0) })],
    ['protected-empty-map', 'a protected header without parameters', protectedAs([])],
    ['protected-order', 'parameters in another order', protectedAs([TYPE, ALG])],
    ['protected-duplicate', 'the algorithm twice', protectedAs([ALG, ALG, TYPE])],
    ['no-algorithm', 'no algorithm', protectedAs([TYPE])],
    ['no-content-type', 'no content type', protectedAs([ALG])],
    [
      'alg-eddsa',
      'EdDSA (-8), the deprecated polymorphic name',
      protectedAs([[uint(1), negative(-8)], TYPE]),
    ],
    ['alg-es256', 'ES256 (-7)', protectedAs([[uint(1), negative(-7)], TYPE])],
    ['alg-positive', '19 instead of -19', protectedAs([[uint(1), uint(19)], TYPE])],
    ['alg-text', 'the name of the algorithm', protectedAs([[uint(1), textItem('Ed25519')], TYPE])],
    ['alg-long', '-19 in two bytes', protectedAs([[uint(1), negative(-19, 1)], TYPE])],
    [
      'content-type-other',
      'another content type',
      protectedAs([ALG, [uint(3), textItem('application/cbor')]]),
    ],
    [
      'content-type-case',
      'upper case',
      protectedAs([ALG, [uint(3), textItem(CONTENT_TYPE.toUpperCase())]]),
    ],
    ['content-type-number', 'a CoAP content format', protectedAs([ALG, [uint(3), uint(60)]])],
    [
      'protected-kid',
      'a parameter more',
      protectedAs([ALG, TYPE, [uint(4), bytesItem(utf8('kid'))]]),
    ],
    [
      'protected-crit',
      'a critical parameter',
      protectedAs([ALG, [uint(2), arrayItem([uint(3)])], TYPE]),
    ],
    [
      'protected-trailing',
      'a byte after the parameters',
      cose({ protectedBytes: concat(PROTECTED, filled(1, 0)) }),
    ],
  ]
}

function refusedParts() {
  const { body, signature, parts } = goodParts()
  const cose = (changes) => coseSign1({ body, ...changes })
  return [
    [
      'unprotected',
      'an unprotected parameter',
      cose({ unprotected: mapItem([[uint(4), bytesItem(utf8('kid'))]]) }),
    ],
    ['unprotected-null', 'null instead of the empty map', cose({ unprotected: NULL })],
    [
      'unprotected-array',
      'an array instead of the empty map',
      cose({ unprotected: arrayItem([]) }),
    ],
    [
      'unprotected-alg',
      'the algorithm unprotected',
      cose({ protectedBytes: mapItem([TYPE]), unprotected: mapItem([ALG]) }),
    ],
    ['detached', 'the payload elsewhere', cose({ payloadItem: NULL })],
    ['payload-map', 'the body not wrapped', cose({ payloadItem: body })],
    [
      'signature-63',
      'a byte of the signature missing',
      cose({ signature: signature.slice(0, 63) }),
    ],
    ['signature-65', 'a byte more', cose({ signature: concat(signature, filled(1, 0)) })],
    ['signature-empty', 'an unsigned manifest', cose({ signature: new Uint8Array(0) })],
    [
      'signature-null',
      'null instead of a signature',
      tagItem(18, arrayItem([...parts.slice(0, 3), NULL])),
    ],
  ]
}

/** [id, comment, signed] */
export function refusedStructures() {
  return [...refusedFrames(), ...refusedProtected(), ...refusedParts()]
}

/** [id, comment, signed], well-formed. */
export function refusedSignatures() {
  const { body } = signedManifest(capsuleManifest())
  const signature = OWNER.sign(sigStructure(PROTECTED, body))
  const withSignature = (bytes) => coseSign1({ body, signature: bytes })
  const longer = encode(['Signature1', PROTECTED, utf8('aad'), body])
  const other = encode(capsuleManifest({ nonce: derived('another nonce', 16) }))
  return [
    ['flip-r', 'a bit of R', withSignature(flipBit(signature, 5))],
    ['flip-s', 'a bit of S', withSignature(flipBit(signature, 40))],
    ['zero', '64 zero bytes', withSignature(filled(64, 0))],
    ['by-writer', 'signed by the writer key', coseSign1({ body, signer: WRITER })],
    [
      'by-stranger',
      'signed by a key that the manifest does not list',
      coseSign1({ body, signer: key('stranger') }),
    ],
    ['raw-body', 'a signature of the bare body', withSignature(OWNER.sign(body))],
    [
      'context-signature',
      'context of COSE_Sign',
      withSignature(OWNER.sign(sigStructure(PROTECTED, body, 'Signature'))),
    ],
    [
      'context-mac',
      'context of COSE_Mac0',
      withSignature(OWNER.sign(sigStructure(PROTECTED, body, 'MAC0'))),
    ],
    ['external-aad', 'signed with external data', withSignature(OWNER.sign(longer))],
    [
      'other-body',
      'a good signature of another manifest',
      withSignature(OWNER.sign(sigStructure(PROTECTED, other))),
    ],
    [
      'other-owner',
      'the owner key replaced, the signature kept',
      coseSign1({
        body: encode(
          capsuleManifest({
            keys: [
              keyEntry('owner', key('stranger').publicKey),
              keyEntry('writer', WRITER.publicKey),
            ],
          }),
        ),
        signature,
      }),
    ],
    [
      'changed-nonce',
      'a bit of the nonce',
      coseSign1({
        body: encode(capsuleManifest({ nonce: flipBit(derived('manifest nonce', 16), 0) })),
        signature,
      }),
    ],
  ]
}
