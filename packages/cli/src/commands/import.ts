/**
 * `longshore import DIR`: an exported capsule, verified completely before anything is stored.
 *
 * An export that contradicts what this home has convicts its writer. The evidence is worth more
 * than the message, so it becomes a file.
 *
 * @module
 */
import { isLongshoreError, parseBase64 } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { replaceFile } from '../output-file.ts'
import { formatCount } from '../text/count.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath })
  const signal = stop.finish()
  try {
    const report = await home.importTiles(args.positional(0), { signal })
    const { text, size, entriesAdded, payloadsAdded, entriesMended, erased } = report
    const object = { name: text, size, entriesAdded, payloadsAdded, entriesMended, erased }
    out.result(object, () => {
      if (out.quiet) return text
      const mended = entriesMended === 0 ? '' : `, ${entriesMended} mended`
      return `${text}  ${formatCount(size, 'entry', 'entries')} verified, ${entriesAdded} new${mended}`
    })
  } catch (error) {
    const evidence = evidenceIn(error)
    const file = args.text('evidence')
    if (evidence !== undefined && file !== undefined) await replaceFile(file, evidence)
    throw error
  }
}

function evidenceIn(error: unknown): Uint8Array | undefined {
  if (!isLongshoreError(error) || error.code !== 'EQUIVOCATION') return undefined
  const { evidence } = error.details
  return typeof evidence === 'string' ? parseBase64(evidence) : undefined
}
