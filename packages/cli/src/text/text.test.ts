import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatByteSize, parseByteSize } from './byte-size.ts'
import { formatPreview, formatPrintable } from './printable.ts'
import { formatAge, formatTime, parseRfc3339, parseSince, parseTimeField } from './time.ts'

const NOON_US = Date.UTC(2026, 10, 21, 12) * 1000

test('CL6: byte sizes are powers of 1024', () => {
  assert.equal(parseByteSize('1'), 1)
  assert.equal(parseByteSize('64K'), 65_536)
  assert.equal(parseByteSize('1M'), 1_048_576)
  assert.equal(parseByteSize('2G'), 2_147_483_648)
  for (const bad of ['', '0', '01', '1k', '1.5K', '1KB', ' 1', '1 ', '-1', '9999999999999999G']) {
    assert.equal(parseByteSize(bad), undefined, bad)
  }
  assert.equal(formatByteSize(0), '0 B')
  assert.equal(formatByteSize(999), '999 B')
  assert.equal(formatByteSize(1000), '0.98 KiB')
  assert.equal(formatByteSize(1536), '1.50 KiB')
  assert.equal(formatByteSize(20 * 1024 ** 2), '20.0 MiB')
  assert.equal(formatByteSize(1023 * 1024), '1.00 MiB')
})

test('CL16: times are printed in UTC with six digits', () => {
  assert.equal(formatTime(0), '1970-01-01T00:00:00.000000Z')
  assert.equal(formatTime(NOON_US + 123_456), '2026-11-21T12:00:00.123456Z')
  assert.equal(formatTime(Number.MAX_SAFE_INTEGER), '2255-06-05T23:47:34.740991Z')
})

test('CL56: ages are whole, in the largest unit of which there are two', () => {
  const ages = [-5, 0, 119.9, 120, 7199, 7200, 172_799, 172_800].map((s) => formatAge(s * 1e6))
  assert.deepEqual(ages, ['0 s', '0 s', '119 s', '2 min', '119 min', '2 h', '47 h', '2 d'])
})

test('CL24 CL30: RFC 3339 and nothing else', () => {
  for (const [text, offsetUs] of [
    ['2026-11-21T12:00:00Z', 0],
    ['2026-11-21t12:00:00.5z', 500_000],
    ['2026-11-21T12:00:00.123456789Z', 123_456],
    ['2026-11-21T13:30:00+01:30', 0],
    ['2026-11-21T04:00:00.000001-08:00', 1],
  ] as const) {
    assert.equal(parseRfc3339(text), NOON_US + offsetUs, text)
  }
  for (const bad of [
    '2026-11-21',
    '2026-11-21T12:00Z',
    '2026-11-21T12:00:00',
    '2026-11-21 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T12:00:60Z',
    '2026-11-21T12:00:00+24:00',
    '2026-11-21T12:00:00.Z',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:00:00+00:01',
    '2255-06-06T00:00:00Z',
    '9999-12-31T23:59:59Z',
    ' 2026-11-21T12:00:00Z',
  ]) {
    assert.equal(parseRfc3339(bad), undefined, bad)
  }
})

test('CL30: --since also takes ages and seconds since 1970', () => {
  assert.equal(parseSince('90s', NOON_US), NOON_US - 90_000_000)
  assert.equal(parseSince('10m', NOON_US), NOON_US - 600_000_000)
  assert.equal(parseSince('2h', NOON_US), NOON_US - 7_200_000_000)
  assert.equal(parseSince('1d', NOON_US), NOON_US - 86_400_000_000)
  assert.equal(parseSince('99999d', NOON_US), 0)
  assert.equal(parseSince('1763694000.25', NOON_US), 1_763_694_000_250_000)
  for (const bad of ['', 'yesterday', '-1h', '1w', '1.5h', '99999999999', 'NaN', '1e9']) {
    assert.throws(() => parseSince(bad, NOON_US), { code: 'TIME_INVALID' }, bad)
  }
})

test('CL24: numbers of a time field count the unit that was given', () => {
  assert.equal(parseTimeField(1763694000, 's'), 1_763_694_000_000_000)
  assert.equal(parseTimeField(1763694000.123456, 's'), 1_763_694_000_123_456)
  assert.equal(parseTimeField(1763694000123, 'ms'), 1_763_694_000_123_000)
  assert.equal(parseTimeField(1763694000123456, 'us'), 1_763_694_000_123_456)
  assert.equal(parseTimeField('2026-11-21T12:00:00Z', 'ms'), NOON_US)
  assert.equal(parseTimeField(1763694000123, 's'), undefined)
  for (const bad of [-1, 1e300, '1763694000', null, undefined, true, {}, []]) {
    assert.equal(parseTimeField(bad, 's'), undefined)
  }
})

test('CL14: nothing that moves, hides or reorders reaches a terminal', () => {
  assert.equal(formatPrintable('a\nb\tc\r'), 'a\\nb\\tc\\r')
  assert.equal(formatPrintable('\x1b[2J\x07\x9b\x7f\0'), '\\x1b[2J\\x07\\x9b\\x7f\\x00')
  assert.equal(
    formatPrintable('\u202eabc\u2066\u200b\ufeff'),
    '\\u{202e}abc\\u{2066}\\u{200b}\\u{feff}',
  )
  assert.equal(formatPrintable('\u2028\u2029\ue000'), '\\u{2028}\\u{2029}\\u{e000}')
  assert.equal(formatPrintable('Grüße, 日本, 🚢'), 'Grüße, 日本, 🚢')
  for (let code = 0; code < 0x3000; code++) {
    const shown = formatPrintable(String.fromCodePoint(code))
    assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u)
  }
})

test('CL14: payloads are previewed as text or as hex, and cut', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  assert.equal(formatPreview(encode('{"a":1}')), '{"a":1}')
  assert.equal(formatPreview(encode('')), '')
  assert.equal(formatPreview(Uint8Array.of(0xff, 0x00)), '(2 bytes) ff00')
  assert.equal(formatPreview(new Uint8Array(33).fill(0xc0)), `(33 bytes) ${'c0'.repeat(32)}…`)
  assert.equal(formatPreview(encode('x'.repeat(501))), `${'x'.repeat(500)}… (501 bytes)`)
  assert.equal(formatPreview(encode('🚢'.repeat(300))), `${'🚢'.repeat(250)}… (1200 bytes)`)
  assert.equal(formatPreview(encode(`x${'🚢'.repeat(300)}`)), `x${'🚢'.repeat(249)}… (1201 bytes)`)
})
