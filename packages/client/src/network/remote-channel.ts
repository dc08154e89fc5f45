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
  readonly isFollow: boolean
  readonly arrived: RemoteEntries[]
  /** Of the messages in it. */
  bytes: number
  isOver: boolean
  error: LongshoreError | undefined
}

export interface OpenStretch {
  readonly request: number
  readonly end: number
  readonly channel: Channel
}

/** Bytes asked for at once, and the number of entries to begin with. */
const STRETCH_BYTES = 2_097_152
export const STRETCH_COUNT_FIRST = 64
const STRETCH_COUNT_MAX = 8192

/** How many entries like these are about one stretch. */
export function fittingCount(count: number, bytes: number): number {
  const fitting = Math.floor((STRETCH_BYTES * count) / Math.max(1, bytes))
  return Math.max(1, Math.min(STRETCH_COUNT_MAX, fitting, 8 * count))
}

export function createChannel(isFollow: boolean): Channel {
  return { isFollow, arrived: [], bytes: 0, isOver: false, error: undefined }
}

/** True if its follow is to be given up, since the caller is slow: the rest is asked for later. */
export function arrive(channel: Channel, entries: RemoteEntries): boolean {
  channel.arrived.push(entries)
  channel.bytes += entries.message.length
  if (!channel.isFollow || channel.isOver || channel.bytes <= STRETCH_BYTES) return false
  channel.isOver = true
  return true
}

/** What arrived first and was not taken. */
export function take(channel: Channel): RemoteEntries | undefined {
  const entries = channel.arrived.shift()
  channel.bytes -= entries?.message.length ?? 0
  return entries
}
