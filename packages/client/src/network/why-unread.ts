/**
 * Why a capsule that is elsewhere cannot be read now, from what mirrors and routers have said.
 *
 * Rules NW8 and NW27 of docs/spec/network.md.
 *
 * @module
 */
import {
  type CapsuleName,
  type ErrorCode,
  formatName,
  type Head,
  type LongshoreError,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { Source } from '@longshore/engine'
import type { Behind } from './home-network.ts'

export interface UnreadFacts {
  readonly name: CapsuleName
  /** The last head that was read. */
  readonly remembered: Head | undefined
  readonly mirrorsMin: number
  readonly freshS: number | undefined
  readonly sources: readonly Source[]
  /** What a mirror said against it. */
  readonly refusal: LongshoreError | undefined
  /** What the routers said. */
  readonly routeCode: ErrorCode | undefined
  /** Said if no neighbor answers; undefined if one does. */
  readonly noLink: UnavailableError | undefined
}

export function whyUnread(facts: UnreadFacts): LongshoreError {
  const { name, remembered, sources, refusal, routeCode, noLink } = facts
  const details = { name: formatName(name) }
  if (sources.some(({ head }) => head !== undefined)) return tooLittle(facts)
  const behind = howFarBehind(remembered, sources)
  if (behind !== undefined) {
    const { seen, shown } = behind
    const message = `the mirrors show ${shown} entries, but ${seen} were seen before`
    return new VerificationError('ROLLBACK', message, { ...details, seen, shown })
  }
  if (noLink !== undefined) return noLink
  // That there is no way to one mirror says little about the others.
  if (refusal?.code === 'NOT_FOUND') {
    const message = 'no mirror that answers has the capsule, or may show it to this home'
    const counted = { ...details, mirrors: sources.length }
    return new UnavailableError('NOT_FOUND', message, counted, { cause: refusal })
  }
  if (refusal !== undefined && refusal.code !== 'NO_ROUTE') return refusal
  if (routeCode === 'POLICY_REFUSED') {
    const message = 'a domain on the way refuses to carry this capsule'
    return new UnavailableError('POLICY_REFUSED', message, details)
  }
  return new UnavailableError('NO_MIRROR', 'no mirror of the capsule answers', details)
}

/** Undefined unless there are mirrors that have the capsule, and all of them show too little. */
export function howFarBehind(
  remembered: Head | undefined,
  sources: readonly Source[],
): Behind | undefined {
  const having = sources.filter(({ hasBranch }) => hasBranch)
  if (remembered === undefined || having.length === 0) return undefined
  const shown = Math.max(...having.map(({ head, claim }) => head?.size ?? claim?.head.size ?? 0))
  return shown < remembered.size ? { seen: remembered.size, shown } : undefined
}

/** Mirrors answer, and their word is not enough for this caller. */
function tooLittle({ name, mirrorsMin, freshS, sources }: UnreadFacts): UnavailableError {
  const message = insufficiency(mirrorsMin, freshS)
  const details = { name: formatName(name), mirrors: sources.length }
  return new UnavailableError('NO_MIRROR', message, details)
}

function insufficiency(mirrorsMin: number, freshS: number | undefined): string {
  if (freshS !== undefined) return `nobody has stated the head within the last ${freshS} s`
  if (mirrorsMin > 0) return `${mirrorsMin} distinct mirrors have not cosigned the same entries`
  return 'the mirrors that answer do not show what this home has to see'
}

/** Reading had begun, and nobody goes on with it. */
export function whyStopped(name: CapsuleName): LongshoreError {
  const message = 'no mirror goes on with what was asked for'
  return new UnavailableError('NO_MIRROR', message, { name: formatName(name) })
}
