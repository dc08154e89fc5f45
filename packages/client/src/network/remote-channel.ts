/**
 * What the reader of the engine brings for one request, on its way to the caller.
 *
 * Rule NW11 of docs/spec/network.md.
 *
 * @module
 */
import type { LongshoreError } from '@longshore/capsule'
import type { ReaderEffect } from '@longshore/engine'

/** Verified entries, as one message brought them. */
export type RemoteEntries = Extract<ReaderEffect, { readonly type: 'entries' }>

/** One request of the reader, and what came of it. */
export interface Channel {
  readonly arrived: RemoteEntries[]
  isOver: boolean
  error: LongshoreError | undefined
}

export interface OpenStretch {
  readonly request: number
  readonly end: number
  readonly channel: Channel
}

/** Bytes asked for at once, and the number of entries to begin with. */
export const STRETCH_BYTES = 2_097_152
export const STRETCH_COUNT_FIRST = 64
const STRETCH_COUNT_MAX = 8192

/** How many entries like these are about one stretch. */
export function fittingCount(count: number, bytes: number): number {
  const fitting = Math.floor((STRETCH_BYTES * count) / Math.max(1, bytes))
  return Math.max(1, Math.min(STRETCH_COUNT_MAX, fitting, 8 * count))
}

export function bytesOf({ arrived }: Channel): number {
  return arrived.reduce((sum, { message }) => sum + message.length, 0)
}
