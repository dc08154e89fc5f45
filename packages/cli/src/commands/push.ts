/**
 * `longshore push NAME`: delivers to mirrors what they lack.
 *
 * @module
 */
import { formatName, UsageError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openOwnCapsule } from '../open-capsule.ts'
import { timeoutOption } from '../remote-options.ts'
import { formatCount } from '../text/count.ts'
import { receiptObjects } from '../text/receipt.ts'

/** As many as a capsule has mirrors. */
const COPIES_MAX = 64

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  const copies = args.integer('copies')
  if (copies !== undefined && (copies < 1 || copies > COPIES_MAX)) {
    const message = `--copies has to be a number from 1 to ${COPIES_MAX}, not ${copies}`
    throw new UsageError('USAGE', message, { copies })
  }
  await using home = await openHome({ path: homePath, create: false })
  await using capsule = await openOwnCapsule(home, args.positional(0))
  const { size, receipts } = await home.network.push(capsule.name, {
    ...timeoutOption(args),
    ...(copies === undefined ? {} : { copies }),
    signal: stop.finish(),
  })
  if (out.json) {
    const object = { name: capsule.text, size, receipts: receiptObjects(receipts) }
    out.line(JSON.stringify(object))
    return
  }
  const entries = formatCount(size, 'entry', 'entries')
  for (const { mirror } of receipts) out.remark(`${formatName(mirror)} holds ${entries}`)
}
