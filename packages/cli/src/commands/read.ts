/**
 * `longshore read NAME`: prints entries that are there.
 *
 * @module
 */
import type { Context } from '../context.ts'
import { reportConviction } from '../conviction.ts'
import { openCapsule } from '../open-capsule.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<number> {
  const name = context.args.positional(0)
  await using home = await openHomeToRead(context, name)
  await using capsule = await openCapsule(home, name, remoteOptions(context.args))
  await printEntries(context, capsule, (options) => capsule.read(options))
  return reportConviction(context.out, home.conviction(capsule.name))
}
