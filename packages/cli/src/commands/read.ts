/**
 * `longshore read NAME`: prints entries that are there.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { printEntries } from './print-entries.ts'

export async function run(context: Context): Promise<undefined> {
  await using home = await openHome({ path: context.homePath, readOnly: true })
  await using capsule = await openCapsule(home, context.args.positional(0))
  await printEntries(context, capsule, (options) => capsule.read(options))
}
