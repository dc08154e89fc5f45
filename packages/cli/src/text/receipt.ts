/**
 * What mirrors have stated, as JSON.
 *
 * @module
 */
import { formatBase64, formatHex, formatName } from '@longshore/capsule'
import type { Ack } from '@longshore/client/node'
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
