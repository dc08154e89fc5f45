/**
 * The second verifier against all vectors: two programs, written from the same texts by different
 * routes, give the same verdict on every case. Nothing of the product is imported here.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCbor } from './eyes/verifier/cbor.ts'
import { checkPoint, checkSignature } from './eyes/verifier/ed25519.ts'
import { checkBody, readHeader } from './eyes/verifier/header.ts'
import { openManifest } from './eyes/verifier/manifest.ts'
import { checkMlDsa44 } from './eyes/verifier/ml-dsa-44.ts'
import { capsuleOrigin, formatName, parseName } from './eyes/verifier/name.ts'
import { openCheckpoint } from './eyes/verifier/note.ts'
import { openReceipt } from './eyes/verifier/receipt.ts'
import { Refused } from './eyes/verifier/refuse.ts'
import { checkConsistency, checkInclusion } from './eyes/verifier/tree.ts'
import type { PostQuantumFields } from './post-quantum-case.ts'
import { bytesOf, checkCases, hexOf, readVectors, type VectorCase } from './read-vectors.ts'
import { type ReceiptFields, receiptBytes } from './receipt-vector.ts'

/** `open` must succeed on valid cases, and be refused, not fail otherwise, on all others. */
function agree<TCase extends VectorCase>(
  cases: readonly TCase[],
  open: (vector: TCase) => unknown,
): void {
  checkCases(cases, (vector) => {
    if (vector.valid) open(vector)
    else assert.throws(() => open(vector), Refused)
  })
}

test('CB2 CB3: the same CBOR is accepted', () => {
  agree(readVectors<{ bytes: string }>('cbor'), ({ bytes }) => readCbor(bytesOf(bytes)))
})

test('NM3: names have one spelling', () => {
  const cases = readVectors<{ kind: string; text: string; bytes: string }>('name')
  agree(
    cases.filter(({ kind }) => kind === 'name'),
    ({ text, bytes }) => assert.equal(hexOf(parseName(text)), bytes),
  )
})

test('SG1: node:crypto with the checks that it leaves out', () => {
  const cases = readVectors<Record<'kind' | 'key' | 'message' | 'signature', string>>('ed25519')
  agree(cases, ({ kind, key, message, signature }) => {
    if (kind === 'key') checkPoint(bytesOf(key))
    else checkSignature(bytesOf(key), bytesOf(message), bytesOf(signature))
  })
})

test('MF5: manifests of capsules and nodes', () => {
  const cases = readVectors<{ signed: string; name?: string; manifest?: { t: string } }>('manifest')
  const known = cases.filter(({ manifest }) => {
    return manifest === undefined || ['capsule', 'node'].includes(manifest.t)
  })
  agree(known, ({ signed, name, manifest }) => {
    const opened = openManifest(bytesOf(signed), manifest?.t === 'node' ? 'node' : 'capsule')
    if (name !== undefined && formatName(opened.name) !== name) throw new Refused('another name')
  })
})

test('EN5 EN8: headers and bodies', () => {
  agree(readVectors<{ bytes: string; body?: string }>('header'), ({ bytes, body }) => {
    const header = readHeader(bytesOf(bytes))
    if (body !== undefined) checkBody(header, bytesOf(body))
  })
})

test('PR1 PR7: inclusion proofs, by the steps of RFC 9162', () => {
  interface Fields {
    readonly index: number
    readonly size: number
    readonly leafHash: string
    readonly path: readonly string[]
    readonly root: string
  }
  agree(readVectors<Fields>('inclusion'), ({ index, size, leafHash, path, root }) => {
    checkInclusion(bytesOf(leafHash), index, size, path.map(bytesOf), bytesOf(root))
  })
})

test('PR2 PR7: consistency proofs, by the steps of RFC 9162', () => {
  interface Fields {
    readonly oldSize: number
    readonly oldRoot: string
    readonly newSize: number
    readonly newRoot: string
    readonly path: readonly string[]
  }
  agree(readVectors<Fields>('consistency'), ({ oldSize, oldRoot, newSize, newRoot, path }) => {
    const roots = [oldRoot, newRoot].map(bytesOf) as [Uint8Array, Uint8Array]
    checkConsistency(oldSize, roots[0], newSize, roots[1], path.map(bytesOf))
  })
})

test('CP4 CP10: checkpoints', () => {
  interface Fields {
    readonly kind: string
    readonly note?: string
    readonly noteBytes?: string
    readonly name: string
    readonly branch: string
    readonly writerKey: string
    readonly size: number
    readonly root: string
    readonly heartbeatS?: number
    readonly cosigner?: { readonly name: string; readonly key: string }
  }
  const cases = readVectors<Fields>('checkpoint').filter(({ kind }) => kind === 'open')
  agree(cases, (vector) => {
    const { note, noteBytes = '', name, branch, writerKey, cosigner } = vector
    const origin = capsuleOrigin(bytesOf(name), bytesOf(branch))
    const text = note ?? new TextDecoder().decode(bytesOf(noteBytes))
    const cosigners =
      cosigner === undefined ? [] : [{ keyName: cosigner.name, key: bytesOf(cosigner.key) }]
    const opened = openCheckpoint(text, origin, bytesOf(writerKey), cosigners)
    assert.equal(opened.size, vector.size)
    assert.equal(hexOf(opened.root), vector.root)
    assert.equal(opened.heartbeatS, vector.heartbeatS)
  })
})

test('RC2: receipts', () => {
  agree(readVectors<ReceiptFields>('receipt'), (vector) => {
    const expected = vector.expected === undefined ? undefined : parseName(vector.expected)
    const opened = openReceipt(receiptBytes(vector), expected)
    assert.equal(formatName(opened.name), vector.name)
    assert.equal(hexOf(opened.owner), vector.owner)
    assert.equal(hexOf(opened.branch), vector.branch)
    assert.equal(opened.index, vector.index)
    assert.equal(opened.size, vector.size)
    assert.equal(hexOf(opened.header), vector.header)
    assert.equal(opened.payload && hexOf(opened.payload), vector.payload)
    assert.equal(opened.heartbeatS, vector.heartbeatS)
    const mirrors = opened.mirrors.map(({ name, domains, timeS }) => {
      return { name: hexOf(name), domains: domains.map(hexOf), timeS }
    })
    assert.deepEqual(mirrors, vector.mirrors ?? [])
  })
})

test('SG14: ML-DSA-44', () => {
  const cases = readVectors<Record<'key' | 'message' | 'signature', string>>('ml-dsa-44')
  agree(cases, ({ key, message, signature }) => {
    checkMlDsa44(bytesOf(key), bytesOf(message), bytesOf(signature))
  })
})

test('SG19 CP20 CP22 RC15: manifests, checkpoints and receipts of roles with two keys', () => {
  const cases = readVectors<PostQuantumFields>('post-quantum')
  // Of manifests this verifier knows capsules and nodes; of heads and evidence nothing.
  const isPerson = ({ id }: VectorCase): boolean => id === 'manifest-person'
  const isNode = ({ id }: VectorCase): boolean =>
    /^(manifest-node|keys-(identity|tls|head))/.test(id)
  const manifests = cases.filter((vector) => vector.kind === 'manifest' && !isPerson(vector))
  agree(manifests, (vector) => {
    const { name } = openManifest(bytesOf(vector.signed), isNode(vector) ? 'node' : 'capsule')
    assert.equal(formatName(name), vector.name)
  })
  agree(
    cases.filter(({ kind }) => kind === 'checkpoint'),
    ({ note, name, writerKey, writerMlDsa44 }) => {
      const origin = capsuleOrigin(bytesOf(name), new Uint8Array(0))
      openCheckpoint(note, origin, bytesOf(writerKey), [], bytesOf(writerMlDsa44))
    },
  )
  agree(
    cases.filter(({ kind }) => kind === 'receipt'),
    ({ receipt, name }) => {
      const opened = openReceipt(new TextEncoder().encode(receipt))
      assert.equal(formatName(opened.name), name)
    },
  )
})
