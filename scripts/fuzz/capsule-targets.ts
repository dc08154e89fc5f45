/**
 * Decoders of the capsule's bytes, and verifiers: what they accept must also be true.
 *
 * @module
 */
import {
  bytesEqual,
  type CborValue,
  createEquivocation,
  decodeCbor,
  decodeEquivocation,
  decodeHead,
  decodeHeader,
  decodeManifest,
  decodePackage,
  decodeUtf8,
  encodeCbor,
  encodeEquivocation,
  encodeHead,
  encodeHeader,
  encodeManifest,
  encodePackage,
  encodeUtf8,
  formatCheckpoint,
  MAIN_BRANCH,
  openCheckpoint,
  openManifest,
  provePackage,
  sha256,
  signHead,
  signManifest,
  UsageError,
  verifyReceipt,
} from '@longshore/capsule'
import type { FuzzTarget } from './fuzz-target.ts'
import {
  capsule,
  head,
  headers,
  jointCapsule,
  jointHead,
  jointWriter,
  log,
  manifests,
  owner,
  receiptOf,
  writer,
} from './world.ts'

const CBOR_SAMPLES: readonly CborValue[] = [
  ...[null, true, 0, 23, 24, 255, 256, 65_536, 4_294_967_296, 9_007_199_254_740_991],
  ...['', 'text', 'Zürich', new Uint8Array(0), new Uint8Array(300).fill(7), []],
  [1, [2, [3, [4]]], 'x'],
  new Map<string, CborValue>([
    ['a', 1],
    ['bb', new Map([['__proto__', null]])],
    ['ccc', [new Uint8Array(3), 'y']],
  ]),
]

/** A verifier that accepts something else than what was signed is the worst finding of all. */
function assertTrue(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`accepted a lie: ${what}`)
}

const decoders: readonly FuzzTarget[] = [
  {
    name: 'cbor',
    samples: () => CBOR_SAMPLES.map((value) => encodeCbor(value)),
    roundTrip: (input) => encodeCbor(decodeCbor(input)),
  },
  {
    name: 'header',
    samples: () => headers.map(encodeHeader),
    roundTrip: (input) => encodeHeader(decodeHeader(input)),
  },
  {
    name: 'manifest',
    samples: () => [...manifests, jointCapsule.manifest].map(encodeManifest),
    roundTrip: (input) => encodeManifest(decodeManifest(input)),
  },
  {
    name: 'head',
    samples: () => [encodeHead(head), encodeHead(jointHead)],
    roundTrip: (input) => encodeHead(decodeHead(input)),
  },
  {
    name: 'package',
    samples: () => {
      const path = provePackage(log, { start: 256, end: 300 }, 300)
      return [encodePackage({ headers: log.headers.slice(256, 260), path })]
    },
    roundTrip: (input) => encodePackage(decodePackage(input, 4)),
  },
  {
    name: 'evidence',
    samples: () => {
      const root = sha256(new Uint8Array(1))
      const forged = { name: capsule.name, branch: MAIN_BRANCH, epoch: 0, size: head.size, root }
      return [createEquivocation(capsule.signed, [head, signHead(forged, writer)])]
    },
    roundTrip: (input) => encodeEquivocation(decodeEquivocation(input)),
  },
]

function textOf(input: Uint8Array): string {
  const text = decodeUtf8(input)
  if (text === undefined) throw new UsageError('USAGE', 'not UTF-8')
  return text
}

const verifiers: readonly FuzzTarget[] = [
  {
    name: 'signed-manifest',
    samples: () => manifests.map((manifest) => signManifest(manifest, owner).signed),
    roundTrip: (input) => signManifest(openManifest(input).manifest, owner).signed,
  },
  {
    // Signing again gives another signature, which is as good; so it is compared with the sample.
    name: 'countersigned-manifest',
    samples: () => [jointCapsule.signed],
    roundTrip: (input) => {
      const { signed, name } = openManifest(input)
      assertTrue(bytesEqual(name, jointCapsule.name), 'another name')
      assertTrue(bytesEqual(signed, jointCapsule.signed), 'another signature')
      return undefined
    },
  },
  {
    name: 'joint-checkpoint',
    samples: () => {
      return [encodeUtf8(formatCheckpoint(jointCapsule.name, jointHead, jointWriter.key))]
    },
    roundTrip: (input) => {
      const opened = openCheckpoint(textOf(input), { writerKey: jointWriter.key })
      assertTrue(bytesEqual(opened.name, jointCapsule.name), 'another capsule')
      assertTrue(bytesEqual(encodeHead(opened.head), encodeHead(jointHead)), 'another head')
      return undefined
    },
  },
  {
    // Lines of cosigners whom nobody asked about may be anything, so there is no one spelling.
    name: 'checkpoint',
    samples: () => [encodeUtf8(formatCheckpoint(capsule.name, head, writer.key))],
    roundTrip: (input) => {
      const opened = openCheckpoint(textOf(input), { writerKey: writer.key })
      assertTrue(bytesEqual(opened.name, capsule.name), 'another capsule')
      assertTrue(opened.head.size === head.size, 'another size')
      assertTrue(bytesEqual(opened.head.root, head.root), 'another root')
      return undefined
    },
  },
  {
    name: 'receipt',
    samples: () => [0, 1, 2, 255, 256, 299].map((at) => encodeUtf8(receiptOf(at, at % 2 === 0))),
    roundTrip: (input) => {
      const { name, index, head: proven, headerBytes, payload } = verifyReceipt(input)
      assertTrue(bytesEqual(name, capsule.name), 'another capsule')
      assertTrue(bytesEqual(proven.root, head.root), 'another root')
      assertTrue(bytesEqual(headerBytes, log.headers[index] ?? new Uint8Array()), 'another header')
      const expected = log.payloads[index] ?? new Uint8Array()
      assertTrue(payload === undefined || bytesEqual(payload, expected), 'another payload')
      return undefined
    },
  },
]

export const capsuleTargets: readonly FuzzTarget[] = [...decoders, ...verifiers]
