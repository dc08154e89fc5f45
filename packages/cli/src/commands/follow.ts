/**
 * `longshore follow NAME`: prints entries that are there, then those that come.
 *
 * @module
 */
import type { Capsule, Home } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
// Loaded from the start: it runs for long, and must still be able to say why it ended.
import { isAborted } from '../report-error.ts'
import { watchStdoutReader } from '../stdout-reader.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<undefined> {
  await using home = await openHomeToRead(context, context.args.positional(0))
  // While it waits there is no write that would fail.
  using _ = watchStdoutReader(() => context.out.readerLeft())
  await using capsule = await openToFollow(context, home)
  if (capsule === undefined) return
  await printEntries(context, capsule, (options) => capsule.follow(options))
}

/** Undefined if stdout's reader left before the mirrors had caught up. */
async function openToFollow(
  { args, out, stop }: Context,
  home: Home,
): Promise<Capsule | undefined> {
  try {
    return await openCapsule(home, args.positional(0), {
      ...remoteOptions(args),
      signal: AbortSignal.any([stop.finish(), out.broken]),
      onBehind: ({ seen, shown }) => {
        out.note(`longshore: the mirrors show ${shown} of ${seen} entries seen before: waiting`)
      },
    })
  } catch (error) {
    if (out.broken.aborted && isAborted(error)) return undefined
    throw error
  }
}
