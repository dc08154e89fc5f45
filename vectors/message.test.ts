/**
 * Messages of replication, against vectors/message.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asHash, concatBytes, MAIN_BRANCH, RightEdge } from '@longshore/capsule'
import { decodeBodies, decodeMessage, EntriesVerifier, encodeMessage } from '@longshore/engine'
import { bytesOf, checkCases, hexOf, readVectors, type VectorCase } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface MessageFields {
  readonly form: 'control' | 'entries' | 'bodies'
  readonly bytes: string
  readonly request: number
  readonly kind: string
  readonly size: number
  readonly root: string
  readonly prior: readonly string[]
  readonly headers: readonly string[]
  readonly payloads: readonly (readonly [number, string, string | null])[]
}

type Vector = VectorCase & MessageFields

function casesOf(form: MessageFields['form']): readonly Vector[] {
  return readVectors<MessageFields>('message').filter((vector) => vector.form === form)
}

test('MS1 MS2 MS7: control messages', () => {
  checkCases(casesOf('control'), (vector) => {
    const bytes = bytesOf(vector.bytes)
    if (!vector.valid) return assertRefused(vector, () => decodeMessage(bytes))
    const message = decodeMessage(bytes)
    assert.deepEqual([message.kind, message.id], [vector.kind, vector.request])
    assert.equal(hexOf(encodeMessage(message)), vector.bytes)
  })
})

test('MS10 MS11 MS13 MS14: messages with entries', () => {
  const read = ({ bytes, size, root, prior }: Vector): EntriesVerifier => {
    const verifier = new EntriesVerifier()
    verifier.frame.read(bytesOf(bytes))
    const known = RightEdge.empty()
    known.append(concatBytes(...prior.map(bytesOf)))
    verifier.verify(MAIN_BRANCH, { size, root: asHash(bytesOf(root)) }, known)
    return verifier
  }
  checkCases(casesOf('entries'), (vector) => {
    if (!vector.valid) return assertRefused(vector, () => read(vector))
    const { frame } = read(vector)
    assert.deepEqual([frame.id, frame.count], [vector.request, vector.headers.length])
    const headers = vector.headers.map((_, i) =>
      hexOf(frame.bytes.slice(frame.headerStart[i], frame.headerEnd[i])),
    )
    assert.deepEqual(headers, vector.headers)
  })
})

test('MS15: messages with payloads', () => {
  checkCases(casesOf('bodies'), (vector) => {
    const bytes = bytesOf(vector.bytes)
    if (!vector.valid) return assertRefused(vector, () => decodeBodies(bytes))
    const { id, bodies } = decodeBodies(bytes)
    assert.equal(id, vector.request)
    const payloads = bodies.map(({ index, state, body }) => {
      return [index, state, body === undefined ? null : hexOf(body.slice())]
    })
    assert.deepEqual(payloads, vector.payloads)
  })
})
