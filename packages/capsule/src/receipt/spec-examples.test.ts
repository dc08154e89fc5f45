import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { PublicKey } from '../bytes/brands.ts'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.ts'
import { openCheckpoint } from '../checkpoint/checkpoint.ts'
import { decodeHead, verifyHead } from '../checkpoint/head.ts'
import { NOTE_ED25519, parseVkey } from '../checkpoint/note-key.ts'
import { asRoleKey } from '../crypto/role-key.ts'
import { verifyEquivocation } from './evidence.ts'
import { createReceipt, verifyReceipt } from './receipt.ts'
import { entriesOf, principalOf, SampleHistory } from './testing/sample-capsule.ts'

/** The code block of a document that is marked as `text <mark>`. */
function exampleIn(document: string, mark: string): string {
  const path = new URL(`../../../../docs/spec/${document}`, import.meta.url)
  const text = readFileSync(path, 'utf8')
  const found = new RegExp(`\`\`\`text ${mark}\n([^\`]*)\`\`\``).exec(text)?.[1]
  assert.ok(found !== undefined, `${document} has an example of a ${mark}`)
  return found
}

function bytesIn(document: string, mark: string): Uint8Array {
  return parseHex(exampleIn(document, mark).replaceAll('\n', '')) as Uint8Array
}

const { signed: CAPSULE } = principalOf('capsule', 1)

test('CP2 CP10 CP13 CP17: the examples in checkpoint.md', () => {
  const vkey = parseVkey(exampleIn('checkpoint.md', 'vkey').trim())
  assert.equal(vkey.type, NOTE_ED25519)
  const writerKey = asRoleKey(vkey.key as PublicKey)
  const opened = openCheckpoint(exampleIn('checkpoint.md', 'checkpoint'), { writerKey })
  assert.deepEqual(opened.name, CAPSULE.name)
  assert.equal(opened.heartbeatS, 1_767_225_700)
  const head = decodeHead(bytesIn('checkpoint.md', 'head'))
  assert.deepEqual(head, opened.head)
  verifyHead(opened.name, head, writerKey)
})

test('RC1 RC3: the example in receipt.md', () => {
  const receipt = exampleIn('receipt.md', 'receipt')
  const verified = verifyReceipt(receipt, { name: CAPSULE.name })
  assert.equal(decodeUtf8(verified.payload as Uint8Array), 'entry 2')
  const history = new SampleHistory(entriesOf(3))
  const { header, body } = history.entries[2] as { header: Uint8Array; body: Uint8Array }
  const path = history.inclusionPath(2, 3)
  const { key } = parseVkey(exampleIn('checkpoint.md', 'vkey').trim())
  const writerKey = asRoleKey(key as PublicKey)
  const { head } = verified
  const parts = { manifest: CAPSULE.signed, header, body, index: 2, head, path, writerKey }
  assert.equal(createReceipt(parts), receipt)
  assert.equal(encodeUtf8(receipt).length < 2000, true)
})

test('EV1 EV5: the example in evidence.md', () => {
  const proven = verifyEquivocation(bytesIn('evidence.md', 'evidence'))
  assert.deepEqual(proven.name, CAPSULE.name)
  assert.deepEqual(proven.sizes, [2, 3])
  assert.equal(formatHex(proven.branch), '')
})
