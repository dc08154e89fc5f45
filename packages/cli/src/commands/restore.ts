/**
 * `longshore restore FILE`: a new home from a backup.
 *
 * @module
 */
import { restoreHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  const { path, fileCount, capsuleCount } = await restoreHome(args.positional(0), {
    path: homePath,
  })
  const object = { home: path, files: fileCount, capsules: capsuleCount }
  if (out.json) out.line(JSON.stringify(object))
  else out.remark(`restored ${formatCount(capsuleCount, 'capsule')} into ${formatPrintable(path)}`)
}
