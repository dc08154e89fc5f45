/**
 * `longshore erase NAME INDEX...`: appends the entry that erases payloads.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { formatCount } from '../text/count.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const indices = [...new Set(args.positionals.slice(1).map(Number))].sort((a, b) => a - b)
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openCapsule(home, args.positional(0))
  const { index, size } = await capsule.erase(indices, args.text('reason') ?? '')
  const what =
    indices.length === 1 ? `entry ${indices[0]}` : formatCount(indices.length, 'entry', 'entries')
  out.result(
    { name: capsule.text, erased: indices, index, size },
    `erased the payload of ${what}, stated by entry ${index}; \`longshore compact\` frees the bytes`,
  )
}
