/**
 * `longshore follow NAME`: prints entries that are there, then those that come.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { watchStdoutReader } from '../stdout-reader.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<undefined> {
  await using home = await openHome({ path: context.homePath, readOnly: true })
  await using capsule = await openCapsule(home, context.args.positional(0))
  // Between two entries there is no write that would fail.
  using _ = watchStdoutReader(() => context.out.readerLeft())
  await printEntries(context, capsule, (options) => capsule.follow(options))
}
