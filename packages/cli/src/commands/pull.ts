/**
 * `longshore pull NAME`: a verified copy of a capsule that mirrors hold.
 *
 * @module
 */
import { formatName } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { remoteOptions } from '../remote-options.ts'
import { formatCount } from '../text/count.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, create: false })
  const options = { ...remoteOptions(args), signal: stop.finish() }
  const report = await home.network.pull(args.positional(0), options)
  const { size, entriesAdded, payloadsAdded, entriesMended } = report
  const name = formatName(report.name)
  if (out.json) {
    out.line(JSON.stringify({ name, size, entriesAdded, payloadsAdded, entriesMended }))
    return
  }
  const entries = formatCount(entriesAdded, 'new entry', 'new entries')
  const payloads = formatCount(payloadsAdded, 'missing payload', 'missing payloads')
  const pulled = payloadsAdded === 0 ? entries : `${entries} and ${payloads}`
  if (entriesMended > 0) {
    out.remark(`mended ${formatCount(entriesMended, 'damaged entry', 'damaged entries')}`)
  }
  out.remark(`pulled ${pulled}; size ${size}`)
}
