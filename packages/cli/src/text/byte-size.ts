/**
 * Numbers of bytes as people write and read them: powers of 1024.
 *
 * @module
 */

const FACTORS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `512`, `64K`, `1M`, `2G`; undefined for anything else, zero, and sizes above 2^53-1. */
export function parseByteSize(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,15})([KMG]?)$/.exec(text)
  if (match === null) return undefined
  const bytes = Number(match[1]) * FACTORS[match[2]!]!
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `999 B`, `1.5 KiB`, `20 MiB`: at most three digits and a unit. */
export function formatByteSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}
