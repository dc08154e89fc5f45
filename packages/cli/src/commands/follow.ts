/**
 * `longshore follow NAME`: prints entries that are there, then those that come.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
// Runs for long, and must still be able to say why it ended.
import '../report-error.ts'
import { watchStdoutReader } from '../stdout-reader.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<undefined> {
  const name = context.args.positional(0)
  await using home = await openHomeToRead(context, name)
  await using capsule = await openCapsule(home, name, remoteOptions(context.args))
  // Between two entries there is no write that would fail.
  using _ = watchStdoutReader(() => context.out.readerLeft())
  await printEntries(context, capsule, (options) => capsule.follow(options))
}
