/**
 * OpenSSL's command on raw signatures: a checkpoint's and a manifest's (RFC 9052 Sig_structure).
 *
 * The bytes are those of the vectors, which our packages write byte for byte
 * (`checkpoint.test.ts`, `manifest.test.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isMissing, runTool } from './foreign-tool.ts'
import { bytesOf, readVectors } from './read-vectors.ts'

const skip = isMissing('openssl', 'openssl', ['version'])

interface Signed {
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** Whether `openssl pkeyutl -verify` says that the signature holds. */
function verifies(t: TestContext, { key, message, signature }: Signed): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-openssl-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = (name: string): string => join(directory, name)
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key])
  writeFileSync(path('key.der'), spki)
  writeFileSync(path('message'), message)
  writeFileSync(path('signature'), signature)
  const keyArgs = ['-pubin', '-inkey', path('key.der'), '-keyform', 'DER']
  const dataArgs = ['-rawin', '-in', path('message'), '-sigfile', path('signature')]
  const { status, output } = runTool('openssl', ['pkeyutl', '-verify', ...keyArgs, ...dataArgs])
  assert.match(output, /^Signature Verif(ied Successfully|ication Failure)/)
  return status === 0
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, bytes[at]! ^ 1)
}

/** Holds as it is, and not with one bit of key, message or signature changed. */
function checkSignature(t: TestContext, signed: Signed): void {
  const { key, message, signature } = signed
  assert.ok(verifies(t, signed))
  assert.ok(!verifies(t, { ...signed, message: flipped(message, message.length - 1) }))
  assert.ok(!verifies(t, { ...signed, signature: flipped(signature, 40) }))
  assert.ok(!verifies(t, { ...signed, key: flipped(key, 3) }))
}

test('CP12: the signature of a head is one over the text of its checkpoint', { skip }, (t) => {
  interface Fields {
    readonly text: string
    readonly writerKey: string
    readonly signature: string
    readonly note: string
  }
  const found = readVectors<Fields>('checkpoint').find(({ id }) => id === 'head-12345-branch')
  assert.ok(found !== undefined)
  const signature = bytesOf(found.signature)
  const line = found.note.split('\n').at(-2)?.split(' ').at(-1) ?? ''
  assert.deepEqual(new Uint8Array(Buffer.from(line, 'base64').subarray(4)), signature)
  const key = bytesOf(found.writerKey)
  checkSignature(t, { key, message: new TextEncoder().encode(found.text), signature })
})

test('SG10 SG11: a manifest is signed as RFC 9052 section 4.4 says', { skip }, (t) => {
  const cases = readVectors<{ signed: string; body: string; owner: string }>('manifest')
  const found = cases.find(({ id }) => id === 'capsule')
  assert.ok(found !== undefined)
  const [signed, body] = [bytesOf(found.signed), bytesOf(found.body)]
  assert.ok(body.length > 255 && body.length < 65536)
  // Sig_structure = ["Signature1", protected, external_aad = h'', payload], written by hand.
  const protectedHeader = Buffer.concat([
    Buffer.from('a2', 'hex'),
    Buffer.from('0132', 'hex'),
    Buffer.from('037823', 'hex'),
    Buffer.from('application/longshore-manifest+cbor'),
  ])
  const message = Buffer.concat([
    Buffer.from('84', 'hex'),
    Buffer.from('6a', 'hex'),
    Buffer.from('Signature1'),
    Buffer.from([0x58, protectedHeader.length]),
    protectedHeader,
    Buffer.from('40', 'hex'),
    Buffer.from([0x59, body.length >> 8, body.length & 0xff]),
    body,
  ])
  checkSignature(t, { key: bytesOf(found.owner), message, signature: signed.slice(-64) })
})
