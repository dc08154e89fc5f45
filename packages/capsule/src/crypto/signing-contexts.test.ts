import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MAIN_BRANCH } from '../bytes/brands.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { formatCheckpointText } from '../checkpoint/checkpoint-text.ts'
import { cosignatureMessage, subtreeMessage } from '../checkpoint/cosignature.ts'
import { type ContentType, sign1Message } from '../cose/sign1.ts'
import { formatOrigin } from '../name/name.ts'
import { sha256 } from './sha256.ts'
import { createSigner } from './signer.ts'
import { SIGNING_CONTEXT_NAMES, signingContextBytes, signingContextOf } from './signing-contexts.ts'

/** A record, so that the compiler misses none. */
const USED: Readonly<Record<ContentType, true>> = {
  'application/longshore-manifest+cbor': true,
  'application/longshore-adcert+cbor': true,
  'application/longshore-advertisement+cbor': true,
  'application/longshore-erasurecert+cbor': true,
  'application/longshore-membercert+cbor': true,
  'application/longshore-rtcert+cbor': true,
  'application/longshore-writercert+cbor': true,
}
const CONTENT_TYPES = Object.keys(USED) as ContentType[]

const isPrefix = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length <= b.length && a.every((byte, i) => b[i] === byte)

test('SG8: no context begins like another', () => {
  for (const a of SIGNING_CONTEXT_NAMES) {
    for (const b of SIGNING_CONTEXT_NAMES) {
      if (a === b) continue
      assert.ok(!isPrefix(signingContextBytes(a), signingContextBytes(b)), `${a} begins ${b}`)
    }
  }
})

test('SG7: what the formats sign belongs to the context that the table names', () => {
  const name = sha256(encodeUtf8('a name')) as Uint8Array as Parameters<typeof formatOrigin>[0]
  const text = formatCheckpointText(formatOrigin(name, MAIN_BRANCH), 1, sha256(name))
  assert.equal(signingContextOf(encodeUtf8(text)), 'checkpoint')
  assert.equal(signingContextOf(cosignatureMessage(text, 1_700_000_000)), 'cosignature')
  const tree = { origin: formatOrigin(name, MAIN_BRANCH), size: 1, root: sha256(name) }
  assert.equal(signingContextOf(subtreeMessage('w', tree, 0)), 'subtree')
  for (const contentType of CONTENT_TYPES) {
    assert.equal(signingContextOf(sign1Message(contentType, new Uint8Array(40))), 'cose')
  }
})

test('SG8 SG10: messages of two content types never begin alike', () => {
  // Up to the payload's length, which a signer of another content type cannot choose away.
  const beginnings = CONTENT_TYPES.map((type) => sign1Message(type, new Uint8Array(0)).slice(0, -1))
  for (const [i, a] of beginnings.entries()) {
    for (const [k, b] of beginnings.entries()) {
      if (i !== k) assert.ok(!isPrefix(a, b), `${CONTENT_TYPES[i]} begins ${CONTENT_TYPES[k]}`)
    }
  }
  const document = readFileSync(
    new URL('../../../../docs/spec/signing.md', import.meta.url),
    'utf8',
  )
  for (const type of CONTENT_TYPES) assert.ok(document.includes(`\`${type}\``), type)
})

test('SG7: a signer refuses a message of no context', () => {
  const signer = createSigner(new Uint8Array(32).fill(7))
  for (const message of ['', 'longshore', 'cosignature/v1', 'please sign this', 'longshore.']) {
    assert.throws(() => signer.sign(encodeUtf8(message)), /signing context/)
  }
})
