/**
 * `longshore follow NAME`: prints entries that are there, then those that come.
 *
 * @module
 */
import type { Capsule, Home } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { reportConviction } from '../conviction.ts'
import { openCapsule } from '../open-capsule.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
// Loaded from the start: it runs for long, and must still be able to say why it ended.
import { isAborted } from '../report-error.ts'
import { watchStdoutReader } from '../stdout-reader.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<number | undefined> {
  await using home = await openHomeToRead(context, context.args.positional(0))
  // While it waits there is no write that would fail.
  using _ = watchStdoutReader(() => context.out.readerLeft())
  await using capsule = await openToFollow(context, home)
  if (capsule === undefined) return undefined
  // Not at its end only, which may never come.
  const exitCode = reportConviction(context.out, home.conviction(capsule.name))
  await printEntries(context, capsule, (options) => capsule.follow(options))
  return exitCode
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
