/**
 * `longshore mirror add NAME PRINCIPAL`: has a node hold a capsule of this home.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import { adviceFor } from '../advice.ts'
import type { Context } from '../context.ts'
import { parsePrincipal } from '../input/principal.ts'
import { openOwnCapsule } from '../open-capsule.ts'
import { timeoutOption } from '../remote-options.ts'
import { mirrorLine, mirrorObject } from '../text/mirror.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  const node = parsePrincipal(args.positional(1))
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openOwnCapsule(home, args.positional(0))
  const options = { ...timeoutOption(args), signal: stop.finish() }
  try {
    await home.network.addMirror(capsule.name, node, options)
  } catch (error) {
    // It is added all the same; what is missing there goes out with the next push.
    const isLater = isLongshoreError(error) && error.code === 'NO_MIRROR'
    if (!isLater) throw error
    out.note(`longshore: ${formatPrintable(error.message)}`)
    if ('nodes' in error.details) out.note(adviceFor(error))
  }
  for (const mirror of home.network.mirrors(capsule.name)) {
    if (!Buffer.from(mirror.name).equals(node)) continue
    out.result(mirrorObject(mirror), () => mirrorLine(mirror, Date.now() * 1000))
  }
}
