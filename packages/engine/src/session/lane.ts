/**
 * One stream of a session, in both directions.
 *
 * @module
 */
import type { SpareMemory } from '../runtime/spare-memory.ts'
import {
  BULK_WINDOW_BYTES,
  MESSAGE_BYTES_MAX,
  URGENT_MESSAGE_BYTES_MAX,
  URGENT_WINDOW_BYTES,
} from './limits.ts'
import { ReceiveStream } from './receive-stream.ts'
import { SendStream } from './send-stream.ts'

export interface Lane {
  readonly isBulk: boolean
  readonly send: SendStream
  readonly receive: ReceiveStream
  /** When to send again, or to ask for credit; undefined if nothing waits. */
  dueUs: number | undefined
  /** The application was told to wait. */
  isBlocked: boolean
}

export function createLane(isBulk: boolean, spares: SpareMemory): Lane {
  const windowBytes = isBulk ? BULK_WINDOW_BYTES : URGENT_WINDOW_BYTES
  const messageBytesMax = isBulk ? MESSAGE_BYTES_MAX : URGENT_MESSAGE_BYTES_MAX
  return {
    isBulk,
    send: new SendStream(windowBytes, spares),
    receive: new ReceiveStream(windowBytes, messageBytesMax, spares),
    ...{ dueUs: undefined, isBlocked: false },
  }
}
