/**
 * `longshore mirror remove NAME PRINCIPAL`: nothing more is pushed to this node.
 *
 * @module
 */
import { formatName, UnavailableError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { parsePrincipal } from '../input/principal.ts'
import { openOwnCapsule } from '../open-capsule.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const node = parsePrincipal(args.positional(1))
  const principal = formatName(node)
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openOwnCapsule(home, args.positional(0))
  const wasKnown = await home.network.removeMirror(capsule.name, node)
  if (!wasKnown) {
    const details = { name: capsule.text, mirror: principal }
    throw new UnavailableError('NOT_FOUND', 'this node is no mirror of the capsule', details)
  }
  const object = { name: capsule.text, principal }
  if (out.json) out.line(JSON.stringify(object))
  else out.remark(`${principal} gets nothing more of ${capsule.text}`)
}
