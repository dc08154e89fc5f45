import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '../bytes/brands.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { formatCheckpointText } from '../checkpoint/checkpoint-text.ts'
import { cosignatureMessage, subtreeMessage } from '../checkpoint/cosignature.ts'
import { sign1Message } from '../cose/sign1.ts'
import { formatOrigin } from '../name/name.ts'
import { sha256 } from './sha256.ts'
import { createSigner } from './signer.ts'
import { SIGNING_CONTEXT_NAMES, signingContextBytes, signingContextOf } from './signing-contexts.ts'

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
  const message = sign1Message('application/longshore-manifest+cbor', new Uint8Array(40))
  assert.equal(signingContextOf(message), 'cose')
})

test('SG7: a signer refuses a message of no context', () => {
  const signer = createSigner(new Uint8Array(32).fill(7))
  for (const message of ['', 'longshore', 'cosignature/v1', 'please sign this', 'longshore.']) {
    assert.throws(() => signer.sign(encodeUtf8(message)), /signing context/)
  }
})
