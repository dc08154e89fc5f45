import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Output } from './output.ts'

/** Keeps what is written; `take` decides when a write is done, and with what error. */
class Collector extends Writable {
  text = ''
  readonly isTTY: boolean
  readonly #take: (done: (error?: Error) => void) => void

  constructor(isTTY = false, take = (done: (error?: Error) => void): void => done()) {
    super({ decodeStrings: false, highWaterMark: 16 })
    this.isTTY = isTTY
    this.#take = take
  }

  override _write(chunk: Uint8Array | string, _: string, done: (error?: Error) => void): void {
    this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    this.#take(done)
  }
}

function create(
  options: { json?: boolean; quiet?: boolean; tty?: boolean; env?: Record<string, string> } = {},
  stdout = new Collector(options.tty),
): { out: Output; stdout: Collector; stderr: Collector } {
  const stderr = new Collector(options.tty)
  const { json = false, quiet = false, env = {} } = options
  return { out: new Output({ json, quiet }, { stdout, stderr, env }), stdout, stderr }
}

test('CL9: a result is text, or with --json one line of JSON; remarks give way', async () => {
  const text = create()
  text.out.result({ a: 1 }, 'one')
  text.out.remark('done')
  await text.out.flush()
  assert.equal(text.stdout.text, 'one\ndone\n')
  const json = create({ json: true })
  json.out.result({ a: 'x\ny' }, 'one')
  json.out.remark('done')
  await json.out.flush()
  assert.equal(json.stdout.text, '{"a":"x\\ny"}\n')
  const quiet = create({ quiet: true })
  quiet.out.result({ a: 1 }, () => 'one')
  quiet.out.remark('done')
  await quiet.out.flush()
  assert.equal(quiet.stdout.text, 'one\n')
})

test('CL33: what was printed leaves when the event loop turns, without a flush', async () => {
  const { out, stdout } = create()
  out.line('a')
  assert.equal(stdout.text, '')
  await new Promise((done) => setImmediate(done))
  assert.equal(stdout.text, 'a\n')
})

test('CL26: a slow reader holds the command back', async () => {
  const waiting: ((error?: Error) => void)[] = []
  const stdout = new Collector(false, (done) => waiting.push(done))
  const { out } = create({}, stdout)
  out.bytes(new Uint8Array(70_000))
  let ready = false
  const wait = out.ready().then(() => {
    ready = true
  })
  await new Promise((done) => setImmediate(done))
  assert.equal(ready, false)
  waiting[0]?.()
  await wait
})

test('CL12: a reader that leaves ends nothing by itself and is no error', async () => {
  const error = Object.assign(new Error('gone'), { code: 'EPIPE' })
  const { out, stdout } = create({}, new Collector(false, (done) => done(error)))
  out.line('a')
  await out.flush()
  assert.equal(out.broken.aborted, true)
  out.line('b')
  await out.ready()
  await out.flush()
  assert.equal(stdout.text, 'a\n')
})

test('CL9: any other failure to print is reported', async () => {
  const error = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const { out } = create({}, new Collector(false, (done) => done(error)))
  out.line('a')
  await assert.rejects(out.flush(), { code: 'FILE_UNWRITABLE' })
  await assert.rejects(out.ready(), { code: 'FILE_UNWRITABLE' })
})

test('CL15: colours and progress are for terminals', () => {
  const shows = (options: Parameters<typeof create>[0]): [boolean, boolean] => {
    const { out, stderr } = create(options)
    out.draw('progress')
    return [out.bad('x') !== 'x', stderr.text !== '']
  }
  assert.deepEqual(shows({ tty: true }), [true, true])
  assert.deepEqual(shows({ tty: false }), [false, false])
  assert.deepEqual(shows({ tty: true, json: true }), [false, false])
  assert.deepEqual(shows({ tty: true, quiet: true }), [true, false])
  assert.deepEqual(shows({ tty: true, env: { NO_COLOR: '1' } }), [false, true])
  assert.deepEqual(shows({ tty: true, env: { NO_COLOR: '' } }), [true, true])
  assert.deepEqual(shows({ tty: true, env: { TERM: 'dumb' } }), [false, false])
})
