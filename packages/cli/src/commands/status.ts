/**
 * `longshore status NAME`: which mirrors hold a capsule, and how much of it.
 *
 * @module
 */
import { formatName, parseName } from '@longshore/capsule'
import { adviceFor } from '../advice.ts'
import type { Context } from '../context.ts'
import { openHomeToRead, timeoutOption } from '../remote-options.ts'
import { formatCount } from '../text/count.ts'
import { mirrorStatusLine, mirrorStatusObject } from '../text/mirror.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run(context: Context): Promise<undefined> {
  const { args, out, stop } = context
  const name = parseName(args.positional(0))
  await using home = await openHomeToRead(context, args.positional(0))
  const options = { ...timeoutOption(args), signal: stop.finish() }
  const { size, isLocal, mirrors, problem } = await home.network.status(name, options)
  const text = formatName(name)
  if (problem !== undefined) {
    out.note(`longshore: ${formatPrintable(problem.message)}`)
    out.note(adviceFor(problem))
  }
  if (out.json) {
    const object = { name: text, size, local: isLocal, mirrors: mirrors.map(mirrorStatusObject) }
    out.line(JSON.stringify(object))
    return
  }
  const where = isLocal ? '' : ', not in this home'
  out.line(`${text}  ${formatCount(size, 'entry', 'entries')}${where}`)
  const nowUs = Date.now() * 1000
  for (const mirror of mirrors) out.line(`  ${mirrorStatusLine(mirror, nowUs)}`)
}
