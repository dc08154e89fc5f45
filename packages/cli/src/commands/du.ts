/**
 * `longshore du`: what this home takes on disk.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatByteSize } from '../text/byte-size.ts'
import { formatCount } from '../text/count.ts'

export async function run({ out, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, readOnly: true })
  const { journalBytes, indexBytes, capsuleCount, entryCount } = await home.usage()
  const reclaimableBytes = await home.reclaimableBytes()
  const totalBytes = journalBytes + indexBytes
  const object = {
    home: home.path,
    totalBytes,
    journalBytes,
    indexBytes,
    reclaimableBytes,
    capsules: capsuleCount,
    entries: entryCount,
  }
  out.result(object, () =>
    [
      `home      ${home.path}`,
      `total     ${formatByteSize(totalBytes)}`,
      `journal   ${formatByteSize(journalBytes)}`,
      `index     ${formatByteSize(indexBytes)}`,
      `compact   would give back ${formatByteSize(reclaimableBytes)}`,
      `capsules  ${capsuleCount} with ${formatCount(entryCount, 'entry', 'entries')}`,
    ].join('\n'),
  )
}
