/**
 * Everything that the suite does to a receipt: bits, lines, the values in its extra, the fields of
 * its header and manifest, parts of other receipts, and the invalid receipts of the vectors.
 *
 * @module
 */
import { type CborValue, decodeCbor, encodeCbor } from '@longshore/capsule'
import { readVectors } from '../read-vectors.ts'
import { type ReceiptFields, receiptBytes } from '../receipt-vector.ts'
import { type Mutant, mutateBytes, mutateLines, mutateValue } from './mutants.ts'

const EXTRA = 'extra '
const TAG_SIGN1 = 0xd2

/** Valid receipts of several forms; their parts are also exchanged with each other. */
export const ORIGINALS: ReadonlyMap<string, string> = new Map(
  readVectors<ReceiptFields>('receipt')
    .filter(({ valid, receipt }) => valid && receipt.length < 10_000)
    .map(({ id, receipt }) => [id, receipt]),
)

/** The receipts of the vectors that must not verify. */
export function* knownLies(): Generator<Mutant<Uint8Array>> {
  for (const vector of readVectors<ReceiptFields>('receipt')) {
    if (vector.valid || vector.expected !== undefined) continue
    yield { what: vector.id, value: receiptBytes(vector) }
  }
}

interface Lines {
  readonly extra: string
  readonly index: string
  readonly path: readonly string[]
  readonly checkpoint: string
}

function splitLines(receipt: string): Lines {
  const end = receipt.indexOf('\n\n')
  const [, extra = '', index = '', ...path] = receipt.slice(0, end).split('\n')
  return { extra, index, path, checkpoint: receipt.slice(end + 2) }
}

function joinLines({ extra, index, path, checkpoint }: Lines): string {
  const lines = ['c2sp.org/tlog-proof@v1', extra, index, ...path]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** One part of another receipt in the place of our own. */
function* mutateParts(id: string, receipt: string): Generator<Mutant<string>> {
  const own = splitLines(receipt)
  for (const [otherId, other] of ORIGINALS) {
    if (otherId === id) continue
    const parts = splitLines(other)
    for (const part of ['extra', 'index', 'path', 'checkpoint'] as const) {
      const changed = { ...own, [part]: parts[part] }
      yield { what: `${part} of ${otherId}`, value: joinLines(changed) }
    }
  }
}

/** Values in the extra, and in the header and the manifest that it carries as bytes. */
function* mutateExtra(receipt: string): Generator<Mutant<string>> {
  const own = splitLines(receipt)
  const extra = decodeCbor(Buffer.from(own.extra.slice(EXTRA.length), 'base64'))
  if (!(extra instanceof Map)) return
  const withExtra = (value: CborValue): string => {
    return joinLines({ ...own, extra: EXTRA + Buffer.from(encodeCbor(value)).toString('base64') })
  }
  for (const { what, value } of mutateValue(extra, 'extra')) {
    yield { what, value: withExtra(value) }
  }
  const header = decodeCbor(extra.get('header') as Uint8Array)
  for (const { what, value } of mutateValue(header, 'header')) {
    yield { what, value: withExtra(new Map([...extra, ['header', encodeCbor(value)]])) }
  }
  for (const { what, value } of mutateManifest(extra.get('manifest') as Uint8Array)) {
    yield { what, value: withExtra(new Map([...extra, ['manifest', value]])) }
  }
}

/** Fields of the COSE_Sign1, and of the manifest's body in it. */
export function* mutateManifest(signed: Uint8Array): Generator<Mutant<Uint8Array>> {
  const fields = decodeCbor(signed.subarray(1)) as readonly CborValue[]
  const tagged = (value: CborValue): Uint8Array => {
    return new Uint8Array(Buffer.concat([Uint8Array.of(TAG_SIGN1), encodeCbor(value)]))
  }
  for (const { what, value } of mutateValue(fields, 'manifest')) {
    yield { what, value: tagged(value) }
  }
  const body = decodeCbor(fields[2] as Uint8Array)
  for (const { what, value } of mutateValue(body, 'body')) {
    yield { what, value: tagged(fields.with(2, encodeCbor(value))) }
  }
}

/** All mutants of one original; `bits` of each byte are flipped. */
export function* mutateReceipt(
  id: string,
  receipt: string,
  bits: readonly number[],
): Generator<Mutant<Uint8Array>> {
  const encoder = new TextEncoder()
  yield* mutateBytes(encoder.encode(receipt), bits)
  for (const texts of [mutateLines(receipt), mutateParts(id, receipt), mutateExtra(receipt)]) {
    for (const { what, value } of texts) yield { what, value: encoder.encode(value) }
  }
}
