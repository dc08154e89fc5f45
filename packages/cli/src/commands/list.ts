/**
 * `longshore list`: the capsules of this home.
 *
 * What identities are made of (persons and authority capsules) is only shown with `--all`.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import { type CapsuleInfo, openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  for (const info of await listCapsules(homePath)) {
    const isIdentityPart = info.type !== 'capsule' || info.authority === null
    if (isIdentityPart && !args.flag('all')) continue
    out.result(infoObject(info), () => (out.quiet ? info.text : infoLine(info)))
  }
}

/** A home that nobody has made yet has no capsules. */
async function listCapsules(path: string): Promise<CapsuleInfo[]> {
  try {
    await using home = await openHome({ path, readOnly: true })
    return await home.list()
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'NOT_FOUND') return []
    throw error
  }
}

/** docs/spec/cli/capsule.schema.json */
function infoObject({ text, type, size, labels, timeUs, writable }: CapsuleInfo): object {
  return { name: text, type, size, labels, time: formatTime(timeUs), writable }
}

function infoLine({ text, type, size, labels, writable }: CapsuleInfo): string {
  const words = [text, formatCount(size, 'entry', 'entries')]
  if (type !== 'capsule') words.push(type)
  if (!writable) words.push('read only')
  for (const [key, value] of Object.entries(labels)) words.push(formatPrintable(`${key}=${value}`))
  return words.join('  ')
}
