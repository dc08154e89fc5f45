/**
 * What the test page runs in a browser: the verifier of the packages on all receipts of the
 * vectors, and on one that was changed. It writes its findings into the page as JSON.
 *
 * @module
 */
import { formatName, isLongshoreError, parseName, verifyReceipt } from '@longshore/capsule'

/** The parts of the browser's document that the page uses. */
interface Page {
  getElementById(id: string): { textContent: string | null } | null
}

interface ReceiptCase {
  readonly id: string
  readonly receipt?: string
  readonly receiptBytes?: string
  readonly spacesAfter?: number
  readonly expected?: string
}

export interface Findings {
  /** Per case: the name that a receipt is consistent with, or the code it is refused with. */
  readonly verdicts: Readonly<Record<string, string>>
  /** The first receipt with one digit of its index changed. */
  readonly changed: string
}

function receiptOf(vector: ReceiptCase): Uint8Array | string {
  const { receipt = '', receiptBytes, spacesAfter = 0 } = vector
  if (receiptBytes === undefined) return receipt + ' '.repeat(spacesAfter)
  const bytes = receiptBytes.match(/../g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16))
}

function judge(receipt: Uint8Array | string, expected?: string): string {
  try {
    const options = expected === undefined ? {} : { name: parseName(expected) }
    return formatName(verifyReceipt(receipt, options).name)
  } catch (error) {
    return isLongshoreError(error) ? error.code : String(error)
  }
}

function run(page: Page): void {
  const cases = JSON.parse(page.getElementById('cases')?.textContent ?? '[]') as ReceiptCase[]
  const verdicts = cases.map((vector) => [vector.id, judge(receiptOf(vector), vector.expected)])
  const good = cases.find(({ id }) => id === 'entry-5-of-11')?.receipt ?? ''
  const changed = judge(good.replace('\nindex 5\n', '\nindex 4\n'))
  const findings: Findings = { verdicts: Object.fromEntries(verdicts), changed }
  const output = page.getElementById('findings')
  if (output !== null) output.textContent = JSON.stringify(findings)
}

run((globalThis as unknown as { readonly document: Page }).document)
