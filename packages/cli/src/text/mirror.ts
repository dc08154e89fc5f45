/**
 * How mirrors of a capsule are printed.
 *
 * @module
 */
import { formatName } from '@longshore/capsule'
import type { MirrorInfo, MirrorStatus } from '@longshore/client/node'
import { formatCount } from './count.ts'
import { formatPrintable } from './printable.ts'
import { formatTime } from './time.ts'

/** docs/spec/cli/mirror.schema.json */
export function mirrorObject(mirror: MirrorInfo): object {
  const { name, domains, problem, notAfterS, size, timeS } = mirror
  return {
    principal: formatName(name),
    domains: domains.map(formatName),
    counts: problem === undefined,
    problem: problem === undefined ? null : { code: problem.code, message: problem.message },
    until: notAfterS === undefined ? null : formatTime(notAfterS * 1_000_000),
    size,
    time: timeS === undefined ? null : formatTime(timeS * 1_000_000),
  }
}

export function mirrorLine(mirror: MirrorInfo): string {
  const { name, domains, problem, size } = mirror
  const words = [formatName(name), formatCount(size, 'entry', 'entries')]
  if (domains.length > 0) words.push(`in ${domains.map(formatName).join(', ')}`)
  if (problem !== undefined) {
    words.push(`does not count: ${problem.code}: ${formatPrintable(problem.message)}`)
  }
  return words.join('  ')
}

/** One line of docs/spec/cli/status.schema.json */
export function mirrorStatusObject(mirror: MirrorStatus): object {
  const { state, lag } = mirror
  return { ...mirrorObject(mirror), state, lag }
}

export function mirrorStatusLine(mirror: MirrorStatus): string {
  const { state, lag } = mirror
  const words = [mirrorLine(mirror)]
  if (state !== 'answered') words.push(state)
  else words.push(lag === 0 ? 'up to date' : `${formatCount(lag, 'entry', 'entries')} behind`)
  return words.join('  ')
}
