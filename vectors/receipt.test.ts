/**
 * Receipts, evidence and entry packages against vectors/{receipt,evidence,entry-package}.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asHash,
  type CborMap,
  type CborValue,
  concatBytes,
  createReceipt,
  decodeCbor,
  decodePackage,
  encodePackage,
  formatName,
  type Hash,
  manifestKey,
  parseName,
  type ReceiptExpectation,
  verifyEquivocation,
  verifyPackage,
  verifyReceipt,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { type ReceiptFields, receiptBytes } from './receipt-vector.ts'
import { assertRefused } from './refusals.ts'

const receipts = readVectors<ReceiptFields>('receipt')

test('RC1 RC3 RC9 RC10 RC13: receipts of the vectors verify and say what they prove', () => {
  checkCases(
    receipts.filter(({ valid }) => valid),
    (vector) => {
      const proven = verifyReceipt(receiptBytes(vector))
      assert.equal(formatName(proven.name), vector.name)
      assert.equal(hexOf(proven.owner.ed25519), vector.owner)
      assert.equal(hexOf(proven.branch), vector.branch)
      assert.equal(proven.index, vector.index)
      assert.equal(proven.head.size, vector.size)
      assert.equal(hexOf(proven.headerBytes), vector.header)
      assert.equal(proven.payload && hexOf(proven.payload), vector.payload)
      assert.equal(proven.heartbeatS, vector.heartbeatS)
      const cosigners = proven.unverifiedCosigners.map(({ name, role, timeS }) => {
        return { name: hexOf(name), role, timeS }
      })
      assert.deepEqual(cosigners, vector.cosigners ?? [])
      const mirrors = proven.mirrors.map(({ name, domains, timeS }) => {
        return { name: hexOf(name), domains: domains.map(hexOf), timeS }
      })
      assert.deepEqual(mirrors, vector.mirrors ?? [])
      assert.equal(proven.level, vector.level ?? 'stored')
      assert.doesNotThrow(() => verifyReceipt(receiptBytes(vector), { name: proven.name }))
    },
  )
})

test('RC2 RC4 RC6 RC7 RC8: every other receipt is refused, as bytes and as text', () => {
  checkCases(
    receipts.filter(({ valid }) => !valid),
    (vector) => {
      const expected: ReceiptExpectation =
        vector.expected === undefined ? {} : { name: parseName(vector.expected) }
      const bytes = receiptBytes(vector)
      assertRefused(vector, () => verifyReceipt(bytes, expected))
      if (vector.receiptBytes !== undefined) return
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      assertRefused(vector, () => verifyReceipt(text, expected))
    },
  )
})

test('RC1 RC12: we make the receipts of the vectors from their parts', () => {
  const plain = receipts.filter(
    ({ valid, id }) => valid && /^(entry|branch|payload-empty)/.test(id),
  )
  checkCases(plain, ({ receipt }) => {
    const { head, index, manifest } = verifyReceipt(receipt)
    const { extra, path } = splitReceipt(receipt)
    const again = createReceipt({
      manifest: asBytes(extra.get('manifest')),
      header: asBytes(extra.get('header')),
      body: asBytes(extra.get('payload')),
      index,
      head,
      path,
      writerKey: manifestKey(manifest, 'writer'),
    })
    assert.equal(again, receipt)
  })
})

/** The lines of a receipt that `verifyReceipt` does not give back. */
function splitReceipt(receipt: string): { extra: CborMap; path: Hash[] } {
  const [, extraLine = '', , ...lines] = receipt.split('\n')
  const path = lines.slice(0, lines.indexOf('')).map((line) => asHash(Buffer.from(line, 'base64')))
  const extra = decodeCbor(Buffer.from(extraLine.slice('extra '.length), 'base64'))
  assert.ok(extra instanceof Map)
  return { extra, path }
}

function asBytes(value: CborValue | undefined): Uint8Array {
  assert.ok(value instanceof Uint8Array)
  return value
}

interface EvidenceFields {
  readonly bytes: string
  readonly name: string
  readonly owner: string
  readonly writerKey: string
  readonly branch: string
  readonly sizes: readonly [number, number]
}

test('EV1 EV2 EV3 EV4 EV5 EV6 EV8: evidence convicts, and nothing else does', () => {
  checkCases(readVectors<EvidenceFields>('evidence'), (vector) => {
    const verify = () => verifyEquivocation(bytesOf(vector.bytes))
    if (!vector.valid) return assertRefused(vector, verify)
    const proven = verify()
    assert.equal(formatName(proven.name), vector.name)
    assert.equal(hexOf(proven.owner.ed25519), vector.owner)
    assert.equal(hexOf(proven.writerKey.ed25519), vector.writerKey)
    assert.equal(hexOf(proven.branch), vector.branch)
    assert.deepEqual(proven.sizes, vector.sizes)
  })
})

interface PackageFields {
  readonly start: number
  readonly end: number
  readonly size: number
  readonly root: string
  readonly prior: readonly string[]
  readonly bytes: string
  readonly headers: readonly string[]
}

test('PK1 PK3 PK4 PK6 PK7: entry packages', () => {
  checkCases(readVectors<PackageFields>('entry-package'), (vector) => {
    const { start, end, size, root } = vector
    const bytes = bytesOf(vector.bytes)
    const prior = concatBytes(...vector.prior.map(bytesOf))
    const verify = () =>
      verifyPackage({ start, end, size, root: asHash(bytesOf(root)) }, bytes, prior)
    if (!vector.valid) return assertRefused(vector, verify)
    assert.deepEqual(verify().headers.map(hexOf), vector.headers)
    assert.equal(hexOf(encodePackage(decodePackage(bytes, end - start))), vector.bytes)
  })
})
