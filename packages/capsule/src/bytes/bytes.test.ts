import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBase32, parseBase32 } from './base32.ts'
import { formatBase64, parseBase64 } from './base64.ts'
import { bytesEqual, compareBytes, concatBytes } from './bytes.ts'
import { formatHex, parseHex } from './hex.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

const CODECS = [
  { name: 'hex', format: formatHex, parse: parseHex, alphabet: /^[0-9a-f]$/ },
  { name: 'base32', format: formatBase32, parse: parseBase32, alphabet: /^[a-z2-7]$/ },
  { name: 'base64', format: formatBase64, parse: parseBase64, alphabet: /^[A-Za-z0-9+/=]$/ },
] as const

const sample = (byteLength: number): Uint8Array =>
  Uint8Array.from({ length: byteLength }, (_, i) => (i * 151 + byteLength * 7) & 255)

test('NM2 NM4: text codecs agree with those of Node, at every length', () => {
  for (let byteLength = 0; byteLength < 70; byteLength++) {
    const bytes = sample(byteLength)
    assert.equal(formatHex(bytes), Buffer.from(bytes).toString('hex'))
    assert.equal(formatBase64(bytes), Buffer.from(bytes).toString('base64'))
    for (const { format, parse } of CODECS) assert.deepEqual(parse(format(bytes)), bytes)
  }
  // RFC 4648 section 10, in lower case and without padding.
  const published = { f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq', foobar: 'mzxw6ytboi' }
  for (const [plain, text] of Object.entries(published)) {
    assert.equal(formatBase32(encodeUtf8(plain)), text)
  }
})

test('NM3 NM4: a text that parses is the one spelling of its bytes', () => {
  let refused = 0
  for (const { name, format, parse, alphabet } of CODECS) {
    for (let byteLength = 0; byteLength < 9; byteLength++) {
      const text = format(sample(byteLength))
      for (let at = 0; at <= text.length; at++) {
        for (let code = 0; code < 130; code++) {
          const character = code === 128 ? '\u0130' : code === 129 ? '' : String.fromCharCode(code)
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          const bytes = parse(changed)
          if (bytes === undefined) refused++
          else assert.equal(format(bytes), changed, `${name} ${JSON.stringify(changed)}`)
          if (character !== '' && !alphabet.test(character)) assert.equal(bytes, undefined)
        }
      }
    }
  }
  assert.ok(refused > 10_000)
})

test('CB3: text is UTF-8 without repair, and keeps a byte order mark', () => {
  for (const text of ['', 'a', '\ufeffa', '\u0000', 'é', '海', '🚢']) {
    assert.equal(decodeUtf8(encodeUtf8(text)), text)
  }
  for (const hex of ['ff', 'c080', 'eda080', 'f4908080', 'e282']) {
    assert.equal(decodeUtf8(parseHex(hex) as Uint8Array), undefined, hex)
  }
})

test('MF3 MF5: the order of bytes puts a prefix first and compares without a sign', () => {
  const ascending = ['', '00', '0000', '007f', '0080', '01', '7f', '80', 'ff', 'ff00']
  const sorted = ascending.map((hex) => parseHex(hex) as Uint8Array)
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) {
      assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j))
      assert.equal(bytesEqual(a, b), i === j)
    }
  }
  assert.equal(formatHex(concatBytes(...sorted)), ascending.join(''))
})
