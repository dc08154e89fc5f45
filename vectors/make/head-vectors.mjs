/** Compact heads: [branch, epoch, size, root, signature], and whose signature they need. */
import { concat, derived, filled, flipBit, utf8 } from './bytes.mjs'
import {
  arrayItem,
  bytesItem,
  encode,
  FLOAT64_ONE,
  NULL,
  negative,
  tagItem,
  uint,
} from './cbor.mjs'
import { NAME } from './checkpoint-vectors.mjs'
import { BRANCH, MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { OWNER, WRITER } from './manifests.mjs'
import { formatOrigin } from './name-vectors.mjs'
import { checkpointText } from './notes.mjs'
import { VectorFile } from './vector-file.mjs'

const ROOT = derived('head root', 32)

function signedHead({ branch = MAIN, epoch = 0, size = 12345, root = ROOT, signer = WRITER }) {
  const text = checkpointText(formatOrigin(NAME, branch), size, root)
  return { branch, epoch, size, root, signature: signer.sign(utf8(text)) }
}

const fieldsOf = ({ branch, epoch, size, root, signature }) => [
  branch,
  epoch,
  size,
  root,
  signature,
]

function addValid(file) {
  for (const [id, comment, head] of [
    ['main', 'the main branch', signedHead({})],
    ['branch', 'another branch', signedHead({ branch: BRANCH })],
    ['size-1', 'one entry', signedHead({ size: 1 })],
    ['size-max', 'the largest tree', signedHead({ size: 9007199254740991 })],
    ['epoch-1', 'the second writer key', signedHead({ epoch: 1 })],
    ['epoch-max', 'the last epoch', signedHead({ epoch: 4294967295 })],
  ]) {
    file.valid(`decode-${id}`, comment, { kind: 'decode', bytes: encode(fieldsOf(head)), head })
    file.valid(`verify-${id}`, comment, {
      kind: 'verify',
      name: NAME,
      writerKey: WRITER.publicKey,
      head,
    })
  }
}

function refusedEncodings() {
  const good = signedHead({})
  const fields = fieldsOf(good)
  const bytes = encode(fields)
  const items = [bytesItem(MAIN), uint(0), uint(12345), bytesItem(ROOT), bytesItem(good.signature)]
  return [
    ['empty', 'nothing', new Uint8Array(0)],
    ['four', 'no signature', encode(fields.slice(0, 4))],
    ['six', 'a field more', encode([...fields, 0])],
    ['map', 'a map', encode({ branch: MAIN, size: 1 })],
    ['branch-15', 'a branch of 15 bytes', encode(fields.with(0, filled(15, 1)))],
    ['branch-null', 'null instead of the main branch', encode(fields.with(0, null))],
    ['epoch-2-32', 'an epoch above 2^32 - 1', encode(fields.with(1, 4294967296))],
    ['epoch-negative', 'a negative epoch', arrayItem(items.with(1, negative(-1)))],
    ['epoch-long', 'an epoch in two bytes', arrayItem(items.with(1, uint(0, 1)))],
    ['size-0', 'an empty tree is never signed', encode(fields.with(2, 0))],
    ['size-2-53', 'a size above 2^53 - 1', arrayItem(items.with(2, uint(9007199254740992n)))],
    ['size-float', 'a float', arrayItem(items.with(2, FLOAT64_ONE))],
    ['size-long', 'a size longer than needed', arrayItem(items.with(2, uint(12345, 8)))],
    ['root-31', 'a root of 31 bytes', encode(fields.with(3, ROOT.slice(1)))],
    ['root-33', 'a root of 33 bytes', encode(fields.with(3, concat(ROOT, filled(1, 0))))],
    ['signature-63', 'a signature of 63 bytes', encode(fields.with(4, good.signature.slice(1)))],
    [
      'signature-65',
      'a signature of 65 bytes',
      encode(fields.with(4, concat(good.signature, filled(1, 0)))),
    ],
    ['signature-null', 'no signature', arrayItem(items.with(4, NULL))],
    ['tag', 'a tag', tagItem(18, bytes)],
    ['long-array', 'the array head in two bytes', arrayItem(items, 1)],
    ['trailing', 'a byte after the head', concat(bytes, filled(1, 0))],
    ['truncated', 'the last byte missing', bytes.slice(0, -1)],
  ]
}

function refusedHeads() {
  const good = signedHead({})
  return [
    ['branch', 'the main branch as another branch', { ...good, branch: BRANCH }],
    ['size', 'another size', { ...good, size: 12346 }],
    ['root', 'another root', { ...good, root: flipBit(ROOT, 0) }],
    ['signature', 'a bit of the signature', { ...good, signature: flipBit(good.signature, 63) }],
    ['owner', 'signed by the owner', signedHead({ signer: OWNER })],
    ['stranger', 'signed by a stranger', signedHead({ signer: key('stranger') })],
  ]
}

export function headVectors() {
  const file = new VectorFile(
    'head',
    'Compact heads. kind decode: bytes is the one spelling of head. kind verify: head was signed for the capsule name by the holder of writerKey; the epoch is not signed, it chooses the key.',
  )
  addValid(file)
  for (const [id, comment, bytes] of refusedEncodings()) {
    file.invalid(`bad-decode-${id}`, comment, 'CHECKPOINT_INVALID', { kind: 'decode', bytes })
  }
  const fields = { kind: 'verify', writerKey: WRITER.publicKey }
  for (const [id, comment, head] of refusedHeads()) {
    file.invalid(`bad-verify-${id}`, comment, 'BAD_SIGNATURE', { ...fields, name: NAME, head })
  }
  file.invalid('bad-verify-name', 'a head of another capsule', 'BAD_SIGNATURE', {
    ...fields,
    name: derived('name', 32),
    head: signedHead({}),
  })
  return file
}
