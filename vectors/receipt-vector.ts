/**
 * The fields of vectors/receipt.json, read by the tests of both verifiers.
 *
 * @module
 */
import { bytesOf } from './read-vectors.ts'

export interface ReceiptFields {
  readonly receipt: string
  /** In place of `receipt` where the bytes are not UTF-8. */
  readonly receiptBytes?: string
  /** Spaces to add at the end. */
  readonly spacesAfter?: number
  /** Text of the capsule name to ask for. */
  readonly expected?: string
  readonly name: string
  readonly owner: string
  readonly branch: string
  readonly index: number
  readonly size: number
  readonly header: string
  readonly payload?: string
  readonly heartbeatS?: number
  readonly mirrors?: readonly { name: string; domains: readonly string[]; timeS: number }[]
  readonly level?: string
  readonly cosigners?: readonly { name: string; role: string; timeS: number }[]
}

export function receiptBytes(vector: ReceiptFields): Uint8Array {
  if (vector.receiptBytes !== undefined) return bytesOf(vector.receiptBytes)
  const spaces = ' '.repeat(vector.spacesAfter ?? 0)
  return new TextEncoder().encode(vector.receipt + spaces)
}
