/**
 * Decoders with planted defects. A fuzzer that does not find them finds nothing.
 *
 * @module
 */
import { encodeUtf8, VerificationError } from '@longshore/capsule'
import type { FuzzTarget } from './fuzz-target.ts'

const SAMPLE = encodeUtf8('size 1234\nroot abcdef\n')
const SHAPE = /^size (\d+)\nroot ([a-f]+)\n$/i

function parse(input: Uint8Array): { size: string; root: string } {
  const match = SHAPE.exec(new TextDecoder().decode(input))
  if (match === null) throw new VerificationError('NOTE_INVALID', 'not a canary')
  return { size: match[1] ?? '', root: match[2] ?? '' }
}

/** Accepts upper and lower case, leading zeros: several spellings of one thing. */
const twoSpellings: FuzzTarget = {
  name: 'canary: two spellings',
  samples: () => [SAMPLE],
  roundTrip: (input) => {
    const { size, root } = parse(input)
    return encodeUtf8(`size ${Number(size)}\nroot ${root.toLowerCase()}\n`)
  },
}

/** Runs into a TypeError where it should refuse. */
const wrongError: FuzzTarget = {
  name: 'canary: wrong error',
  samples: () => [SAMPLE],
  roundTrip: (input) => {
    const [, size] = SHAPE.exec(new TextDecoder().decode(input)) as unknown as [string, string]
    return size === undefined ? input : input
  },
}

/** Writes into what it was given. */
const changesInput: FuzzTarget = {
  name: 'canary: changes its input',
  samples: () => [SAMPLE],
  roundTrip: (input) => {
    if (input.length > SAMPLE.length) input[0] = (input[0] ?? 0) ^ 1
    return undefined
  },
}

export const canaries: readonly FuzzTarget[] = [twoSpellings, wrongError, changesInput]
