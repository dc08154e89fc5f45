/**
 * SHA-256 by size: the choice that the capsule makes, beside what it chooses from.
 *
 * @module
 */
import { hash as nodeHash } from 'node:crypto'
import { sha256 } from '@longshore/capsule'
import { tightRateOf } from '../frame/measure.ts'
import type { Row } from '../frame/row.ts'

const SIZES = [100, 1024, 65_536]

export const hashRows: readonly Row[] = SIZES.map((inputBytes) => {
  const input = new Uint8Array(inputBytes).fill(5)
  const megabytes = (perSecond: number): number => (perSecond * inputBytes) / 1e6
  return {
    title: `SHA-256 of ${inputBytes} B`,
    ...{ unit: 'MB/s', better: 'more' },
    contenders: async () => [
      {
        ...{ name: 'longshore', role: 'longshore', durability: 'no disk' },
        measure: (windowMs) => megabytes(tightRateOf(windowMs, 64, () => void sha256(input))),
      },
      {
        ...{ name: 'crypto.hash of Node', role: 'limit', durability: 'no disk' },
        measure: (windowMs) =>
          megabytes(tightRateOf(windowMs, 64, () => void nodeHash('sha256', input, 'buffer'))),
      },
    ],
  }
})
