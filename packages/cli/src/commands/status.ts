/**
 * `longshore status NAME`: which mirrors hold a capsule, and how much of it.
 *
 * @module
 */
import { formatName, parseName } from '@longshore/capsule'
import { adviceFor } from '../advice.ts'
import type { Context } from '../context.ts'
import { convictionObject, reportConviction } from '../conviction.ts'
import { openHomeToRead, timeoutOption } from '../remote-options.ts'
import { formatCount } from '../text/count.ts'
import { mirrorStatusLine, mirrorStatusObject } from '../text/mirror.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run(context: Context): Promise<number> {
  const { args, out, stop } = context
  const name = parseName(args.positional(0))
  await using home = await openHomeToRead(context, args.positional(0))
  const options = { ...timeoutOption(args), signal: stop.finish() }
  const report = await home.network.status(name, options)
  const { size, isLocal, mirrors, problem, conviction } = report
  const text = formatName(name)
  if (problem !== undefined) {
    out.note(`longshore: ${formatPrintable(problem.message)}`)
    out.note(adviceFor(problem))
  }
  if (out.json) {
    const convicted = convictionObject(conviction)
    const listed = mirrors.map(mirrorStatusObject)
    out.line(JSON.stringify({ name: text, size, local: isLocal, convicted, mirrors: listed }))
    return reportConviction(out, conviction)
  }
  const where = isLocal ? '' : ', not in this home'
  out.line(`${text}  ${formatCount(size, 'entry', 'entries')}${where}`)
  const nowUs = Date.now() * 1000
  for (const mirror of mirrors) {
    out.line(`  ${mirrorStatusLine(mirror, { nowUs, isConvicted: conviction !== undefined })}`)
  }
  return reportConviction(out, conviction)
}
