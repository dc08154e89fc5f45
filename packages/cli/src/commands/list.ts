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
import { reportDamaged } from '../damaged.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out, homePath }: Context): Promise<number> {
  const infos = await listCapsules(homePath)
  for (const info of infos) {
    const { type = 'capsule', authority, problem } = info
    const isIdentityPart = problem === undefined && (type !== 'capsule' || authority === null)
    if (isIdentityPart && !args.flag('all')) continue
    out.result(infoObject(info), () => (out.quiet ? info.text : infoLine(info)))
  }
  return reportDamaged(out, infos)
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
function infoObject(info: CapsuleInfo): object {
  const { text: name, type = null, size, labels, timeUs, writable, problem } = info
  if (problem === undefined) {
    return { name, type, size, labels, time: formatTime(timeUs), writable }
  }
  const { code, message } = problem
  return { name, type, size, labels, time: null, writable, problem: { code, message } }
}

function infoLine({ text, type, size, labels, writable, problem }: CapsuleInfo): string {
  const words = [text, formatCount(size, 'entry', 'entries')]
  if (problem !== undefined) return [...words, `damaged: ${problem.code}`].join('  ')
  if (type !== undefined && type !== 'capsule') words.push(type)
  if (!writable) words.push('read only')
  for (const [key, value] of Object.entries(labels)) words.push(formatPrintable(`${key}=${value}`))
  return words.join('  ')
}
