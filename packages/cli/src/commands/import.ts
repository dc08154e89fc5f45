/**
 * `longshore import DIR`: an exported capsule, verified completely before anything is stored.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  const signal = stop.finish()
  await using home = await openHome({ path: homePath })
  const report = await home.importTiles(args.positional(0), { signal })
  const { text, size, entriesAdded, payloadsAdded, erased } = report
  const object = { name: text, size, entriesAdded, payloadsAdded, erased }
  out.result(object, () =>
    out.quiet ? text : `${text}  ${size} entries verified, ${entriesAdded} new`,
  )
}
