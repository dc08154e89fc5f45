/**
 * `longshore mirror list NAME`: the mirrors of a capsule, as this home knows them.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openOwnCapsule } from '../open-capsule.ts'
import { mirrorLine, mirrorObject } from '../text/mirror.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, readOnly: true })
  await using capsule = await openOwnCapsule(home, args.positional(0))
  for (const mirror of home.network.mirrors(capsule.name)) {
    out.result(mirrorObject(mirror), () => mirrorLine(mirror, Date.now() * 1000))
  }
}
