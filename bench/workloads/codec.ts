/**
 * Headers: the specialised codec of the hot path beside a general one.
 *
 * @module
 */
import {
  decodeHeader,
  encodeHeader,
  type Header,
  hotHeaderBytes,
  KIND_PLAIN,
  NO_EXTENSION,
  NO_POINTERS,
  sha256,
  writeHotHeader,
} from '@longshore/capsule'
import { decode, encode } from 'cborg'
import { tightRateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const TIME_US = 1_790_000_000_000_000
const PAYLOAD_BYTES = 100
const payloadHash = sha256(new Uint8Array(PAYLOAD_BYTES))
const header: Header = {
  ...{ kind: KIND_PLAIN, timeUs: TIME_US, payloadBytes: PAYLOAD_BYTES, payloadHash },
  ...{ pointers: NO_POINTERS, ext: NO_EXTENSION },
}
const general = [0, TIME_US, PAYLOAD_BYTES, payloadHash]

function contender(name: string, role: Contender['role'], work: () => void): Contender {
  return {
    ...{ name, role, durability: 'no disk' },
    measure: (windowMs) => tightRateOf(windowMs, 64, work),
  }
}

export const codecRows: readonly Row[] = [
  {
    title: 'encode the header of an entry',
    ...{ unit: 'headers/s', better: 'more', target: 2_000_000 },
    contenders: async () => {
      const out = new Uint8Array(hotHeaderBytes(TIME_US, PAYLOAD_BYTES))
      let calls = 0
      const write = (): void =>
        void writeHotHeader(out, 0, 0, TIME_US + (calls++ & 1023), PAYLOAD_BYTES, payloadHash, 0)
      return [
        contender('longshore', 'longshore', write),
        contender('longshore, general codec', 'limit', () => void encodeHeader(header)),
        contender('cborg', 'limit', () => void encode(general)),
      ]
    },
  },
  {
    title: 'decode the header of an entry',
    ...{ unit: 'headers/s', better: 'more' },
    contenders: async () => {
      const bytes = encode(general)
      // Used, so that no compiler drops the work.
      let sum = 0
      const read = (): void => {
        sum = (sum + decodeHeader(bytes).payloadBytes) | 0
      }
      return [
        contender('longshore', 'longshore', read),
        contender('cborg, without any check', 'limit', () => void decode(bytes)),
      ]
    },
  },
]
