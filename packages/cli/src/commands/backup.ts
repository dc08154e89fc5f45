/**
 * `longshore backup FILE`: everything in this home in one file.
 *
 * @module
 */
import { formatHex } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatByteSize } from '../text/byte-size.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const file = args.positional(0)
  await using home = await openHome({ path: homePath, create: false })
  const { fileBytes, fileCount, sha256 } = await home.backup(file)
  const object = { file, bytes: fileBytes, files: fileCount, sha256: formatHex(sha256) }
  if (out.json) out.line(JSON.stringify(object))
  else
    out.remark(
      `wrote ${formatPrintable(file)} (${formatByteSize(fileBytes)}); it holds the keys of this home: keep it secret`,
    )
}
