/**
 * `longshore recover NAME --assume-only-copy --reason TEXT`: the operator's statement (F20).
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const reason = args.text('reason') ?? ''
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openCapsule(home, args.positional(0))
  const { index, size } = await capsule.recover({ assumeOnlyCopy: true, reason })
  out.result(
    { name: capsule.text, index, size },
    `recorded as entry ${index}; ${capsule.text} can be appended to again`,
  )
}
