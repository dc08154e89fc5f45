/**
 * `longshore fsck`: is everything in this home as it was written?
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { EXIT } from '../report-error.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'

const MENDING = 'pull or import a damaged capsule, then compact'

export async function run({ args, out, homePath }: Context): Promise<number> {
  const repair = args.flag('repair')
  await using home = await openHome({ path: homePath, create: false, readOnly: !repair })
  const { problems, repaired, capsuleCount, entryCount } = await home.fsck({ repair })
  const ok = problems.length === 0
  const object = { ok, problems, repaired, capsules: capsuleCount, entries: entryCount }
  out.result(object, () => {
    const lines = repaired.map((what) => `repaired  ${formatPrintable(what)}`)
    for (const { code, message } of problems) {
      lines.push(`${out.bad('problem')}   ${code}: ${formatPrintable(message)}`)
    }
    lines.push(
      ok
        ? `${out.good('sound')}     ${formatCount(capsuleCount, 'capsule')} with ${formatCount(entryCount, 'entry', 'entries')}`
        : `${formatCount(problems.length, 'problem')}; the rest of the home is usable: ${MENDING}`,
    )
    return lines.join('\n')
  })
  return ok ? EXIT.ok : EXIT.storage
}
