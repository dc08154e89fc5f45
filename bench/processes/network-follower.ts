/**
 * Follows a capsule through its mirror: `network-follower.ts TICKET MIRROR CAPSULE`.
 *
 * @module
 */
import { parseName } from '@longshore/capsule'
import type { EntryBatch } from '@longshore/engine'
import { answerCommands } from './command.ts'
import { Delays, stampOf } from './delays.ts'
import { follow } from './follow.ts'

const STAMP_BYTES = 8

const [ticket = '', mirror = '', capsule = ''] = process.argv.slice(2)
const delays = new Delays()

function delivered({ count, frames, offsets }: EntryBatch): void {
  const last = frames.subarray(offsets[count - 1] as number)
  const headerBytes = new DataView(last.buffer, last.byteOffset).getUint16(0)
  const body = last.subarray(4 + headerBytes)
  if (body.length >= STAMP_BYTES) delays.delivered(stampOf(body))
}

/** Nothing is measured before the first entries were delivered. */
await new Promise<void>((resolve) => {
  follow({
    ...{ ticket, mirror: parseName(mirror), name: parseName(capsule), way: 'session' },
    onEntries: (entries) => {
      delivered(entries)
      resolve()
    },
  })
})

answerCommands({
  /** Milliseconds from append to verified delivery of the next entry. */
  delay: () => delays.next(),
  cpu: () => undefined,
})
