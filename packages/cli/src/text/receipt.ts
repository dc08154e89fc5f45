/**
 * What mirrors have stated, and what of it does not hold.
 *
 * @module
 */
import { formatBase64, formatHex, formatName, type LeftOut } from '@longshore/capsule'
import type { Ack } from '@longshore/client/node'
import { formatPrintable } from './printable.ts'
import { formatTime } from './time.ts'

/** Mirrors that hold every entry below `size` durably, and their signatures over it. */
export function receiptObjects(receipts: NonNullable<Ack['receipts']>): object[] {
  return receipts.map(({ mirror, head, timeS, signature }) => ({
    principal: formatName(mirror),
    size: head.size,
    root: formatHex(head.root),
    time: formatTime(timeS * 1_000_000),
    signature: formatBase64(signature),
  }))
}

/** A part of a receipt that does not hold; docs/spec/cli/verify.schema.json. */
export function leftOutObject({ name, part, error: { code, message } }: LeftOut): object {
  return { name: formatName(name), part, code, message }
}

/** The same for stderr. */
export function leftOutLine({ name, part, error: { code, message } }: LeftOut): string {
  const what = part === 'mirror' ? 'a mirror does not count' : 'a membership does not hold'
  return `longshore: ${code}: ${what}: ${formatName(name)}: ${formatPrintable(message)}`
}
