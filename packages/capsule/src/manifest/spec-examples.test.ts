import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { asBranchId, MAIN_BRANCH } from '../bytes/brands.ts'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { sign1Message } from '../cose/sign1.ts'
import { sha256 } from '../crypto/sha256.ts'
import { formatName, formatOrigin, parseName, parseOrigin } from '../name/name.ts'
import { encodeManifest, openManifest } from './manifest.ts'

/** The lines of the code block in a document that is marked as `text <mark>`. */
function exampleLines(document: string, mark: string): readonly string[] {
  const path = new URL(`../../../../docs/spec/${document}`, import.meta.url)
  const found = readFileSync(path, 'utf8').split(`\`\`\`text ${mark}\n`)[1]?.split('\n```')[0]
  assert.ok(found !== undefined, `${document} has an example of a ${mark}`)
  return found.split('\n')
}

/** The bytes of an example in hex, however it is spaced. */
function exampleBytes(document: string, mark: string): Uint8Array {
  const bytes = parseHex(exampleLines(document, mark).join('').replaceAll(' ', ''))
  assert.ok(bytes !== undefined, `the ${mark} in ${document} is hexadecimal`)
  return bytes
}

const signed = exampleBytes('manifest.md', 'manifest')
const { name, body, manifest } = openManifest(signed)

test('MF1 MF4 SG10: the example in manifest.md', () => {
  assert.equal(manifest.type, 'capsule')
  assert.deepEqual(encodeManifest(manifest), body)
  assert.equal(body.length, 296)
  assert.equal(formatHex(signed).indexOf(formatHex(body)) / 2, signed.length - 296 - 66)
  assert.ok(formatHex(body).startsWith('ac6174'))
})

test('NM1 NM2 NM5: the examples in name.md', () => {
  assert.deepEqual(sha256(body), name as Uint8Array)
  assert.deepEqual(exampleLines('name.md', 'name'), [formatHex(name), formatName(name)])
  assert.deepEqual(parseName(formatName(name)), name)
  const branch = asBranchId(new Uint8Array(16).fill(0xcd))
  assert.deepEqual(exampleLines('name.md', 'origin'), [formatOrigin(name, branch)])
  assert.deepEqual(parseOrigin(formatOrigin(name, MAIN_BRANCH)), { name, branch: MAIN_BRANCH })
})

test('SG11: the example in signing.md', () => {
  const beginning = exampleBytes('signing.md', 'beginning')
  const message = sign1Message('application/longshore-manifest+cbor', body)
  assert.deepEqual(message.subarray(0, beginning.length), beginning)
  assert.equal(message.length, beginning.length + 3 + body.length)
})
