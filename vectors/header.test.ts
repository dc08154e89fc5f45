/**
 * The header codecs against vectors/header.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Control,
  decodeHeader,
  encodeHeader,
  type Header,
  hotHeaderBytes,
  openBody,
  writeHotHeader,
} from '@longshore/capsule'
import { type Described, describeCbor } from './describe-cbor.ts'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface HeaderFields {
  readonly bytes: string
  readonly leafHash: string
  readonly header?: Record<string, unknown>
  readonly body?: string
  readonly payload?: string
}

const cases = readVectors<HeaderFields>('header')
const valid = cases.filter((vector) => vector.valid)
const described = valid.filter(({ header }) => header !== undefined)
const refused = cases.filter((vector) => !vector.valid && vector.body === undefined)

/** Bytes to hex, all the way down; the shape is otherwise that of the vectors. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hexOf(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function describeControl(control: Control | null): unknown {
  if (control === null) return null
  switch (control.type) {
    case 'branch': {
      const { branch, ...parent } = control.parent
      return { type: 'branch', parentBranch: branch, ...parent, reason: control.reason }
    }
    case 'erase':
      return { ...control, ranges: control.ranges.map(({ start, end }) => [start, end]) }
    case 'recover': {
      const { anchor, reason } = control
      const [anchorSize, anchorRoot] = [anchor?.size ?? null, anchor?.root ?? null]
      return { type: 'recover', anchorSize, anchorRoot, reason }
    }
    default:
      return control
  }
}

function describeHeader({ ext, ...rest }: Header): unknown {
  const app = (describeCbor(ext.app) as { map: [string, Described][] }).map
  return plain({ ...rest, control: describeControl(ext.control), app })
}

test('EN1 EN2 EN3: headers of the vectors decode to their fields and encode back', () => {
  checkCases(described, ({ bytes, header }) => {
    const decoded = decodeHeader(bytesOf(bytes))
    assert.deepEqual(describeHeader(decoded), header)
    assert.equal(hexOf(encodeHeader(decoded)), bytes)
  })
  checkCases(valid, ({ bytes }) => {
    assert.equal(hexOf(encodeHeader(decodeHeader(bytesOf(bytes)))), bytes)
  })
})

test('EN4: the hot codec writes the same bytes', () => {
  const hot = described.filter(({ bytes }) => bytes.startsWith('84'))
  checkCases(hot, ({ bytes }) => {
    const { kind, timeUs, payloadBytes, payloadHash } = decodeHeader(bytesOf(bytes))
    const out = new Uint8Array(100).fill(0xee)
    const written = writeHotHeader(out, 7, kind, timeUs, payloadBytes, payloadHash, 0)
    assert.equal(written, hotHeaderBytes(timeUs, payloadBytes))
    assert.equal(hexOf(out.slice(7, 7 + written)), bytes)
    assert.ok([...out.slice(0, 7), ...out.slice(7 + written)].every((byte) => byte === 0xee))
  })
})

test('EN4 EN5 EN6 EN7: other headers are refused, whichever codec reads them', () => {
  assert.ok(refused.some(({ bytes }) => bytes.startsWith('84')))
  assert.ok(refused.some(({ bytes }) => !bytes.startsWith('84')))
  checkCases(refused, (vector) => assertRefused(vector, () => decodeHeader(bytesOf(vector.bytes))))
})

test('EN8 EN9: a body opens to its payload; a body that does not fit its header is refused', () => {
  const bodies = cases.filter(({ body }) => body !== undefined)
  assert.ok(bodies.some((vector) => vector.valid) && bodies.some((vector) => !vector.valid))
  checkCases(bodies, (vector) => {
    const open = () => openBody(decodeHeader(bytesOf(vector.bytes)), bytesOf(vector.body ?? ''))
    if (vector.valid) assert.equal(hexOf(open()), vector.payload)
    else assertRefused(vector, open)
  })
})
