/**
 * How `id new`, `id list` and `id show` print an identity.
 *
 * @module
 */
import { formatName } from '@longshore/capsule'
import type { IdentityInfo } from '@longshore/client/node'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

/** docs/spec/cli/identity.schema.json */
export function identityObject({
  text,
  label,
  authority,
  timeUs,
  isDefault,
}: IdentityInfo): object {
  return {
    name: text,
    label: label ?? null,
    authority: formatName(authority),
    time: formatTime(timeUs),
    default: isDefault,
  }
}

/** One line of a list. */
export function identityLine({ text, label, isDefault }: IdentityInfo): string {
  return [text, isDefault ? 'default' : '', label === undefined ? '' : formatPrintable(label)]
    .filter((word) => word !== '')
    .join('  ')
}

export function identityText({ text, label, authority, timeUs, isDefault }: IdentityInfo): string {
  const lines = [
    `name       ${text}`,
    `authority  ${formatName(authority)}`,
    `made       ${formatTime(timeUs)}`,
  ]
  if (label !== undefined) lines.push(`label      ${formatPrintable(label)}`)
  if (isDefault) lines.push('default    new capsules are made under it')
  return lines.join('\n')
}
