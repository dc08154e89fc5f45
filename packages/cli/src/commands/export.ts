/**
 * `longshore export NAME DIR`: a capsule as static files.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { formatByteSize } from '../text/byte-size.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run({ args, out, stop, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, readOnly: true })
  await using capsule = await openCapsule(home, args.positional(0))
  const signal = stop.finish()
  const directory = args.positional(1)
  const { size, fileCount, byteCount } = await capsule.exportTiles(directory, { signal })
  const object = {
    name: capsule.text,
    directory,
    format: 'tlog-tiles',
    size,
    files: fileCount,
    bytes: byteCount,
  }
  if (out.json) out.line(JSON.stringify(object))
  else
    out.remark(
      `exported ${formatCount(size, 'entry', 'entries')}: ${formatCount(fileCount, 'file')} (${formatByteSize(byteCount)}) in ${formatPrintable(directory)}`,
    )
}
