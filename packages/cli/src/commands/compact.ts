/**
 * `longshore compact`: gives back the space of erased payloads.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatByteSize } from '../text/byte-size.ts'

export async function run({ out, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, create: false })
  const { bytesBefore, bytesAfter } = await home.compact()
  if (out.json) out.line(JSON.stringify({ bytesBefore, bytesAfter }))
  else
    out.remark(
      `the journal went from ${formatByteSize(bytesBefore)} to ${formatByteSize(bytesAfter)}`,
    )
}
