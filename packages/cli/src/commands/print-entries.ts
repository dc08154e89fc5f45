/**
 * Prints entries as they come, until they end, stdout's reader leaves, or a signal says stop.
 *
 * @module
 */
import { isLongshoreError, UnavailableError } from '@longshore/capsule'
import type { Capsule, Entry, ReadOptions } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatCount } from '../text/count.ts'
import { entryLine, entryObject } from '../text/entry.ts'
import { entryRange } from './entry-range.ts'

/** `entries` gets the range and a signal to stop at. */
export async function printEntries(
  { args, out, stop }: Context,
  capsule: Capsule,
  entries: (options: ReadOptions) => AsyncIterable<Entry>,
): Promise<undefined> {
  const raw = args.flag('raw')
  const signal = AbortSignal.any([stop.finish(), out.broken])
  const holes: number[] = []
  try {
    for await (const entry of entries({ ...entryRange(args, capsule), signal })) {
      if (signal.aborted) break
      if (!raw) out.result(entryObject(entry), () => entryLine(entry))
      else if (entry.payload !== undefined) out.bytes(entry.payload)
      else if (entry.state === 'absent') holes.push(entry.index)
      await out.ready()
    }
  } catch (error) {
    const stopped = signal.aborted && isLongshoreError(error) && error.code === 'ABORTED'
    if (!stopped) throw error
  }
  const [first] = holes
  if (first === undefined) return
  throw new UnavailableError(
    'PAYLOAD_ABSENT',
    `${formatCount(holes.length, 'payload')} missing here, the first at index ${first}; all others were written`,
    { holes: holes.length, index: first },
  )
}
