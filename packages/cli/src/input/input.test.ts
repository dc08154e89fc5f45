import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWholeCutter } from './chunks.ts'
import { createJsonLinesCutter } from './json-lines.ts'
import { splitLines } from './lines.ts'
import type { ByteSource, Cutter } from './piece.ts'

const PAYLOAD_BYTES_MAX = 1_048_576

function sourceOf(chunks: readonly (string | Uint8Array)[], interrupted = false): ByteSource {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
  return { label: 'input', chunks: bytes(), interrupted }
}

interface Cut {
  readonly texts: string[]
  readonly times: (number | undefined)[]
  readonly error: { code?: string; details?: object } | undefined
}

async function cut(cutter: Cutter, source: ByteSource): Promise<Cut> {
  const texts: string[] = []
  const times: (number | undefined)[] = []
  try {
    for await (const batch of cutter(source)) {
      for (const { payload, timeUs } of batch) {
        texts.push(Buffer.from(payload).toString('latin1'))
        times.push(timeUs)
      }
    }
  } catch (error) {
    return { texts, times, error: error as object }
  }
  return { texts, times, error: undefined }
}

async function lines(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const { texts, error } = await cut(splitLines, sourceOf(chunks))
  assert.equal(error, undefined)
  return texts
}

test('CL22: a line is what stands before a newline, whatever its bytes', async () => {
  assert.deepEqual(await lines(), [])
  assert.deepEqual(await lines(''), [])
  assert.deepEqual(await lines('a\nb\n'), ['a', 'b'])
  assert.deepEqual(await lines('a\nb'), ['a', 'b'])
  assert.deepEqual(await lines('\n\na\r\n\n'), ['', '', 'a\r', ''])
  assert.deepEqual(await lines(Uint8Array.of(0xff, 0x00, 0x0a, 0x80)), ['\xff\0', '\x80'])
})

test('CL22: lines do not depend on where the input is cut into chunks', async () => {
  const text = 'one\ntwo\n\nthree\r\nlast'
  const whole = await lines(text)
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)]
      assert.deepEqual(await lines(...chunks), whole)
    }
  }
})

test('CL22: a line above the limit is refused after all lines before it', async () => {
  const most = Buffer.alloc(PAYLOAD_BYTES_MAX, 'x')
  assert.deepEqual(
    (await lines(most, '\n', most)).map((line) => line.length),
    [PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX],
  )
  for (const chunks of [
    ['a\nb\n', most, 'x\nc\n'],
    ['a\nb\n', most, 'x'],
    [Buffer.concat([Buffer.from('a\nb\n'), most, Buffer.from('x\nc\n')])],
  ]) {
    const { texts, error } = await cut(splitLines, sourceOf(chunks))
    assert.deepEqual(texts, ['a', 'b'])
    assert.equal(error?.code, 'PAYLOAD_TOO_LARGE')
    assert.deepEqual(error?.details, {
      file: 'input',
      line: 3,
      payloadBytesMax: PAYLOAD_BYTES_MAX,
    })
  }
})

test('CL27: after an interruption a piece whose end was not read is left out', async () => {
  assert.deepEqual((await cut(splitLines, sourceOf(['a\nb'], true))).texts, ['a'])
  assert.deepEqual((await cut(createWholeCutter(undefined), sourceOf(['a'], true))).texts, [])
  assert.deepEqual((await cut(createWholeCutter(2), sourceOf(['abc'], true))).texts, ['ab'])
})

test('CL23: lines that are JSON are taken as they came', async () => {
  const text = '{"a": 1}\n[]\n "x" \r\nnull'
  const { texts, error } = await cut(createJsonLinesCutter(undefined), sourceOf([text]))
  assert.equal(error, undefined)
  assert.deepEqual(texts, ['{"a": 1}', '[]', ' "x" \r', 'null'])
})

test('CL23: a line that is not JSON is refused after all lines before it', async () => {
  const bad = [
    '{',
    '',
    'nul',
    '\ufeff{}',
    '{} {}',
    "{'a':1}",
    'NaN',
    Uint8Array.of(0x22, 0xff, 0x22),
  ]
  for (const line of bad) {
    const source = sourceOf(['{}\n1\n', line, '\n{}\n'])
    const { texts, error } = await cut(createJsonLinesCutter(undefined), source)
    assert.deepEqual(texts, ['{}', '1'], String(line))
    assert.equal(error?.code, 'JSON_INVALID')
    assert.deepEqual(error?.details, { file: 'input', line: 3 })
  }
})

test('CL24: the time is taken from the field, or the line refused', async () => {
  const cutter = createJsonLinesCutter({ field: 't', unit: 's' })
  const good = '{"t":1.5}\n{"t":"1970-01-01T00:00:02Z"}\n'
  assert.deepEqual((await cut(cutter, sourceOf([good]))).times, [1_500_000, 2_000_000])
  for (const bad of ['{}', '[1]', '"t"', 'null', '{"t":"soon"}', '{"T":1}', '{"t":-1}']) {
    const { texts, error } = await cut(cutter, sourceOf([good, bad]))
    assert.equal(texts.length, 2, bad)
    assert.equal(error?.code, 'TIME_INVALID')
    assert.deepEqual(error?.details, { file: 'input', line: 3 })
  }
  const proto = createJsonLinesCutter({ field: '__proto__', unit: 's' })
  assert.equal((await cut(proto, sourceOf(['{}']))).error?.code, 'TIME_INVALID')
})

test('CL25: a whole source is one piece, also an empty one', async () => {
  const cutter = createWholeCutter(undefined)
  assert.deepEqual((await cut(cutter, sourceOf([]))).texts, [''])
  assert.deepEqual((await cut(cutter, sourceOf(['a\n', 'b']))).texts, ['a\nb'])
  const large = sourceOf([Buffer.alloc(PAYLOAD_BYTES_MAX), 'x'])
  assert.equal((await cut(cutter, large)).error?.code, 'PAYLOAD_TOO_LARGE')
})

test('CL25: chunks have the size that was asked for, the last one what remains', async () => {
  const text = 'abcdefgh'
  for (let first = 0; first <= text.length; first++) {
    const source = (): ByteSource => sourceOf([text.slice(0, first), text.slice(first)])
    assert.deepEqual((await cut(createWholeCutter(3), source())).texts, ['abc', 'def', 'gh'])
    assert.deepEqual((await cut(createWholeCutter(4), source())).texts, ['abcd', 'efgh'])
    assert.deepEqual((await cut(createWholeCutter(9), source())).texts, ['abcdefgh'])
  }
  assert.deepEqual((await cut(createWholeCutter(3), sourceOf([]))).texts, [''])
  assert.throws(() => createWholeCutter(PAYLOAD_BYTES_MAX + 1), { code: 'PAYLOAD_TOO_LARGE' })
})
