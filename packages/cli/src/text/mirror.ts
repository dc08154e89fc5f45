/**
 * How mirrors of a capsule are printed.
 *
 * @module
 */
import { formatName } from '@longshore/capsule'
import type { MirrorInfo, MirrorStatus } from '@longshore/client/node'
import { formatCount } from './count.ts'
import { formatPrintable } from './printable.ts'
import { formatAge, formatTime } from './time.ts'

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

/** What was stated in the past, with its age. */
export function mirrorLine(mirror: MirrorInfo, nowUs: number): string {
  const { size, timeS } = mirror
  return describe(mirror, [statedWords(size, timeS, nowUs)]).join('  ')
}

/** One line of docs/spec/cli/status.schema.json */
export function mirrorStatusObject(mirror: MirrorStatus): object {
  const { state, statedSize, lag } = mirror
  return { ...mirrorObject(mirror), state, old: state === 'unreachable', statedSize, lag }
}

export function mirrorStatusLine(
  mirror: MirrorStatus,
  { nowUs, isConvicted }: { readonly nowUs: number; readonly isConvicted: boolean },
): string {
  const { state, size, statedSize, timeS, lag } = mirror
  const entries = formatCount(size, 'entry', 'entries')
  switch (state) {
    case 'answered': {
      const behind = lag === 0 ? 'up to date' : `${formatCount(lag, 'entry', 'entries')} behind`
      // Of two histories none is the one to be behind.
      const standing = isConvicted ? 'holds one of two histories' : behind
      return [...describe(mirror, [entries]), standing].join('  ')
    }
    case 'freed': {
      const freed = `freed: it held ${statedWords(statedSize, timeS, nowUs)}`
      return [...describe(mirror, [entries]), freed].join('  ')
    }
    case 'refused':
      return [...describe(mirror, [entries]), 'refused: it does not show the capsule'].join('  ')
    case 'unreachable':
      return [...describe(mirror, [statedWords(size, timeS, nowUs)]), 'unreachable'].join('  ')
  }
}

function describe({ name, domains, problem }: MirrorInfo, held: readonly string[]): string[] {
  const words = [formatName(name), ...held]
  if (domains.length > 0) words.push(`in ${domains.map(formatName).join(', ')}`)
  if (problem !== undefined) {
    words.push(`does not count: ${problem.code}: ${formatPrintable(problem.message)}`)
  }
  return words
}

/** `4 entries 5 min ago` */
function statedWords(size: number, timeS: number | undefined, nowUs: number): string {
  const entries = formatCount(size, 'entry', 'entries')
  return timeS === undefined ? entries : `${entries} ${formatAge(nowUs - timeS * 1_000_000)} ago`
}
