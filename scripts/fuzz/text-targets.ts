/**
 * Decoders of text: names, keys, paths, notes.
 *
 * @module
 */
import {
  asBranchId,
  decodeUtf8,
  encodeUtf8,
  formatBase32,
  formatBase64,
  formatBranch,
  formatCheckpoint,
  formatCheckpointText,
  formatHex,
  formatName,
  formatNote,
  formatOrigin,
  formatVkey,
  MAIN_BRANCH,
  NOTE_ED25519,
  parseBase32,
  parseBase64,
  parseBranch,
  parseCheckpointText,
  parseHex,
  parseName,
  parseNote,
  parseOrigin,
  parseTilePath,
  parseVkey,
  tilePath,
  UsageError,
} from '@longshore/capsule'
import type { FuzzTarget } from './fuzz-target.ts'
import { capsule, head, writer } from './world.ts'

/** For decoders that answer undefined instead of throwing. */
function refuseUndefined<T>(value: T | undefined): T {
  if (value === undefined) throw new UsageError('USAGE', 'not of this form')
  return value
}

function textTarget<T>(
  name: string,
  samples: readonly string[],
  parse: (text: string) => T | undefined,
  format: (value: T) => string,
): FuzzTarget {
  return {
    name,
    samples: () => samples.map(encodeUtf8),
    roundTrip: (input) => {
      const text = refuseUndefined(decodeUtf8(input))
      return encodeUtf8(format(refuseUndefined(parse(text))))
    },
  }
}

const BYTES = [0, 1, 2, 3, 5, 16, 32, 36].map((length) => new Uint8Array(length).fill(201))
const BRANCH = asBranchId(new Uint8Array(16).fill(77))
const { name } = capsule
const origin = formatOrigin(name, MAIN_BRANCH)
const vkey = formatVkey({ name: origin, type: NOTE_ED25519, key: writer.publicKey })
const note = formatCheckpoint(name, head, writer.key)
const PATHS = [...[tilePath(0, 0, 256), tilePath(1, 1234, 7), tilePath('entries', 1_234_567, 255)]]

export const textTargets: readonly FuzzTarget[] = [
  textTarget('hex', BYTES.map(formatHex), parseHex, formatHex),
  textTarget('base32', BYTES.map(formatBase32), parseBase32, formatBase32),
  textTarget('base64', BYTES.map(formatBase64), parseBase64, formatBase64),
  textTarget('name', [formatName(name)], parseName, formatName),
  textTarget('branch', [formatBranch(BRANCH)], parseBranch, formatBranch),
  textTarget('origin', [origin, formatOrigin(name, BRANCH)], parseOrigin, (parsed) =>
    formatOrigin(parsed.name, parsed.branch),
  ),
  textTarget('vkey', [vkey], parseVkey, formatVkey),
  textTarget('tile-path', PATHS, parseTilePath, ({ level, n, width }) => tilePath(level, n, width)),
  textTarget('note', [note, `${note}— other.example AAAAAAAA\n`], parseNote, formatNote),
  textTarget(
    'checkpoint-text',
    [formatCheckpointText(origin, head.size, head.root)],
    parseCheckpointText,
    (parsed) =>
      formatCheckpointText(parsed.origin, parsed.size, parsed.root) +
      parsed.extensions.map((line) => `${line}\n`).join(''),
  ),
]
