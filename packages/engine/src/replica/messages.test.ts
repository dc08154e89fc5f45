import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  asBranchId,
  asCapsuleName,
  asHash,
  asSignature,
  bytesEqual,
  encodeUtf8,
  type Head,
  MAIN_BRANCH,
  parseHex,
  RightEdge,
} from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { decodeBodies, encodeBodies } from './bodies-message.ts'
import { committedHead } from './committed-head.ts'
import { EntriesFrame } from './entries-message.ts'
import { createSource, makeEntries } from './entries-source.ts'
import { decodeMessage, encodeMessage, type ReplicaMessage } from './messages.ts'
import { peerError } from './peer-error.ts'
import { EntriesVerifier } from './verify-entries.ts'

const prng = new Prng(1)
const name = asCapsuleName(prng.bytes(32))
const branch = asBranchId(prng.bytes(16))
const root = asHash(prng.bytes(32))
const signature = asSignature(prng.bytes(64))
const head: Head = { branch: MAIN_BRANCH, epoch: 0, size: 300, root, signature }
const statement = { timeS: 1_790_000_000, signature }
const place = { name, branch }

const MESSAGES: readonly ReplicaMessage[] = [
  { kind: 'error', id: 0, code: 'NOT_FOUND', text: 'not here', retryAfterMs: null },
  { kind: 'error', id: 1, code: 'OVERLOADED', text: '', retryAfterMs: 1000 },
  { kind: 'open', id: 1, ...place },
  {
    ...{ kind: 'opened', id: 1, manifest: prng.bytes(30), branches: [MAIN_BRANCH, branch] },
    ...{ head, cosignature: statement, heartbeat: null },
  },
  { kind: 'offer', id: 3, manifest: prng.bytes(30), chain: prng.bytes(50) },
  { kind: 'accepted', id: 3 },
  { kind: 'push', id: 5, name, branch: MAIN_BRANCH },
  { kind: 'have', id: 5, head: null, size: 0 },
  { kind: 'receipt', id: 5, size: 300, root, ...statement },
  { kind: 'range', id: 7, ...place, start: 0, end: 256, size: 300, wantsBodies: true },
  { kind: 'end', id: 7 },
  { kind: 'follow', id: 9, ...place, size: 300 },
  { kind: 'unfollow', id: 9 },
  { kind: 'consistency', id: 11, ...place, oldSize: 1, newSize: 300 },
  { kind: 'path', id: 11, hashes: [root, asHash(prng.bytes(32))] },
  { kind: 'bodies', id: 13, ...place, indices: [0, 5, 2 ** 40] },
  { kind: 'cosign', id: 15, ...place },
  { kind: 'heartbeat', id: 4_294_967_295, ...place, size: 300, ...statement },
  { kind: 'news', id: 0, ...place, head },
]

/** The code block of message.md that is marked as `text <mark>`: the hex of each line. */
function examplesIn(mark: string): Uint8Array[] {
  const path = new URL('../../../../docs/spec/message.md', import.meta.url)
  const found = new RegExp(`\`\`\`text ${mark}\n([^\`]*)\`\`\``).exec(readFileSync(path, 'utf8'))
  const lines = (found?.[1] ?? '').trim().split('\n')
  return lines.map((line) => {
    const hex = line.replace(/ {4,}.*$/, '').replaceAll(' ', '')
    return parseHex(hex) ?? assert.fail(`not hex: ${line}`)
  })
}

test('MS1 MS2 MS4 MS8: every kind of message reads as it was written', () => {
  for (const message of MESSAGES) {
    assert.deepEqual(decodeMessage(encodeMessage(message)), message, message.kind)
  }
  const kinds = new Set(MESSAGES.map(({ kind }) => kind))
  assert.equal(kinds.size, 18)
})

test('MS1 MS7: a changed message is refused, or is the one spelling of another one', () => {
  for (const message of MESSAGES) {
    const bytes = encodeMessage(message)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        const again = encodeMessage(decodeMessage(changed))
        assert.ok(bytesEqual(again, changed), `${message.kind}, bit ${bit}`)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'PROTOCOL_ERROR', `${message.kind} ${bit}`)
      }
    }
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeMessage(bytes.subarray(0, end)), { code: 'PROTOCOL_ERROR' })
    }
    const longer = new Uint8Array([...bytes, 0])
    assert.throws(() => decodeMessage(longer), { code: 'PROTOCOL_ERROR' })
  }
})

test('MS1 MS10 MS15: the examples of message.md', () => {
  const [push, have] = examplesIn('control')
  assert.ok(push && have)
  const example = asCapsuleName(new Uint8Array(32).fill(0x22))
  assert.deepEqual(decodeMessage(push), { kind: 'push', id: 7, name: example, branch: MAIN_BRANCH })
  assert.deepEqual(decodeMessage(have), { kind: 'have', id: 7, head: null, size: 0 })

  const bytes = new Uint8Array(examplesIn('entries').flatMap((line) => [...line]))
  const verifier = new EntriesVerifier()
  const { frame } = verifier
  frame.read(bytes)
  assert.deepEqual([frame.id, frame.start, frame.count, frame.head.length], [7, 0, 1, 0])
  const builder = new EntryBatchBuilder()
  builder.add(0, 1, encodeUtf8('hi'))
  const tree = { size: 1, root: asHash(builder.build().leafHashes.slice(0, 32)) }
  verifier.verify(MAIN_BRANCH, tree, RightEdge.empty())
  const [body] = examplesIn('bodies')
  const [payload] = decodeBodies(body ?? new Uint8Array(0)).bodies
  assert.deepEqual(payload?.body?.slice(), encodeUtf8('hi'))
})

test('MS6: an error of a peer is one of ours, and safe to print', () => {
  const base = { kind: 'error', id: 1, retryAfterMs: null } as const
  const known = peerError({ ...base, code: 'QUOTA_EXCEEDED', text: 'full \u001b[31m' })
  assert.deepEqual([known.name, known.code], ['UnavailableError', 'QUOTA_EXCEEDED'])
  assert.ok(!known.message.includes('\u001b'))
  const unknown = peerError({ ...base, code: 'OF_A_LATER_VERSION', text: '' })
  assert.equal(unknown.code, 'PROTOCOL_ERROR')
})

/** Messages with all entries of a home, under its head. */
function messagesOf(home: PublisherHome): { readonly head: Head; readonly messages: Uint8Array[] } {
  const { store } = home.driver
  const source = createSource(store, { name: home.capsule.name, branch: MAIN_BRANCH })
  const known = committedHead(store, home.capsule.name, MAIN_BRANCH)
  assert.ok(known)
  const messages: Uint8Array[] = []
  for (let start = 0; start < known.size; ) {
    const request = { id: 1, head: new Uint8Array(0), size: known.size, start, end: known.size }
    const { bytes, end } = makeEntries(source, { ...request, wantsBodies: true })
    messages.push(bytes)
    start = end
  }
  return { head: known, messages }
}

test('MS11 MS12: large bodies are cut into messages that are verified one by one', () => {
  const home = new PublisherHome(new Prng(2))
  home.append(40, { payloadBytes: 100_000 })
  home.append(3, { payloadBytes: 1_048_576 })
  const { head: known, messages } = messagesOf(home)
  assert.ok(messages.length >= 6)
  const verifier = new EntriesVerifier()
  let prior = RightEdge.empty()
  let size = 0
  for (const message of messages) {
    assert.ok(message.length < 2_200_000)
    verifier.frame.read(message)
    assert.equal(verifier.frame.start, size)
    assert.deepEqual(verifier.verify(MAIN_BRANCH, known, prior).holes, [])
    prior = verifier.tileEdge
    size = verifier.frame.end
  }
  assert.equal(size, 43)
})

const REFUSALS = [
  ...['PROTOCOL_ERROR', 'ROOT_MISMATCH', 'PROOF_SHAPE', 'HEADER_INVALID', 'PAYLOAD_MISMATCH'],
]

test('MI1 MS13 MS14: a changed message with entries is refused, or says less', () => {
  const home = new PublisherHome(new Prng(3))
  home.append(2, { payloadBytes: 5 })
  home.erase([0, 1])
  home.append(3, { payloadBytes: 5 })
  const { head: known, messages } = messagesOf(home)
  const [bytes] = messages
  assert.ok(bytes)
  const verifier = new EntriesVerifier()
  let truth = ''
  const read = (message: Uint8Array): string => {
    const { frame } = verifier
    frame.read(message)
    // Whoever verifies looks first whether these are the entries that it can verify.
    if (frame.start !== 0) return truth
    const { erasures } = verifier.verify(MAIN_BRANCH, known, RightEdge.empty())
    const bodies = Array.from({ length: frame.count }, (_, i) => {
      const start = frame.bodyStart[i] as number
      return start < 0 ? '-' : String(frame.bytes.subarray(start, frame.bodyEnd[i]))
    })
    return JSON.stringify([frame.start, frame.count, erasures, bodies])
  }
  truth = read(bytes)
  const less = new Set<string>()
  for (let bit = 8 * 5; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    let said: string | undefined
    try {
      said = read(changed)
    } catch (error) {
      const { code } = error as { code?: string }
      assert.ok(REFUSALS.includes(String(code)), String(code))
    }
    if (said !== undefined && said !== truth) less.add(said)
  }
  assert.deepEqual([...less], [], 'no single bit says anything else')
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => new EntriesFrame().read(bytes.subarray(0, end)), { code: 'PROTOCOL_ERROR' })
  }
})

test('MS15: payloads read as they were written; a changed message is refused or another one', () => {
  const entries = [
    { index: 3, header: prng.bytes(1), state: 'present', body: prng.bytes(5) },
    { index: 4, header: prng.bytes(1), state: 'absent', body: undefined },
    { index: 2 ** 40, header: prng.bytes(1), state: 'erased', body: undefined },
  ] as const
  const bytes = encodeBodies(9, entries)
  const { id, bodies } = decodeBodies(bytes)
  assert.equal(id, 9)
  assert.deepEqual(
    bodies.map(({ index, state, body }) => [index, state, body?.slice()]),
    entries.map(({ index, state, body }) => [index, state, body]),
  )
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    try {
      const decoded = decodeBodies(changed)
      const again = decoded.bodies.map((item) => ({ ...item, header: bytes }))
      assert.ok(bytesEqual(encodeBodies(decoded.id, again), changed), `bit ${bit}`)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'PROTOCOL_ERROR', `bit ${bit}`)
    }
  }
})
