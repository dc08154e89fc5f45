/**
 * Signed notes (C2SP signed-note), checkpoints (tlog-checkpoint) and cosignatures by one or two
 * keys (tlog-cosignature), verifying side.
 *
 * @module
 */
import { checkSignature } from './ed25519.ts'
import { checkMlDsa44, cosignedMessage } from './ml-dsa-44.ts'
import { refuse, require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Standard base64 in its one spelling. */
export function base64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  require(bytes.toString('base64') === text, 'not the one spelling in base64')
  return new Uint8Array(bytes)
}

export function decimal(text: string): number {
  require(/^(0|[1-9][0-9]{0,15})$/.test(text), 'not a decimal number')
  const value = Number(text)
  require(value <= Number.MAX_SAFE_INTEGER, 'a number above 2^53 - 1')
  return value
}

interface SignatureLine {
  readonly keyName: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

function splitNote(note: string): { text: string; lines: SignatureLine[] } {
  for (const character of note) require(character >= ' ' || character === '\n', 'control character')
  const end = note.lastIndexOf('\n\n')
  require(end >= 0 && note.endsWith('\n') && end + 2 < note.length, 'not a signed note')
  const lines = note.slice(end + 2, -1).split('\n')
  return { text: note.slice(0, end + 1), lines: lines.map(splitSignatureLine) }
}

function splitSignatureLine(line: string): SignatureLine {
  const match = /^\u2014 ([^\p{White_Space}+]+) (\S+)$/u.exec(line)
  if (match === null) return refuse('not a signature line')
  const blob = base64(match[2] as string)
  require(blob.length > 4, 'a signature line without a signature')
  return {
    keyName: match[1] as string,
    keyId: blob.subarray(0, 4),
    signature: blob.subarray(4),
  }
}

function keyId(name: string, type: number, key: Uint8Array): Uint8Array {
  return sha256(utf8(`${name}\n`), Uint8Array.of(type), key).subarray(0, 4)
}

/** Whose timestamped cosignature to verify, if it is there. */
export interface Cosigner {
  readonly keyName: string
  readonly key: Uint8Array
  /** ML-DSA-44. Then both keys sign, at the same time. */
  readonly secondKey?: Uint8Array | undefined
}

export interface Checkpoint {
  readonly size: number
  readonly root: Uint8Array
  /** Seconds since 1970 of the writer's own cosignature. */
  readonly heartbeatS: number | undefined
  /** Newest time of each cosigner that has signed. */
  readonly cosignedS: ReadonlyMap<Cosigner, number>
}

/** Verifies the checkpoint that the holder of `key` (and `secondKey`) signed for `origin`. */
export function openCheckpoint(
  note: string,
  origin: string,
  key: Uint8Array,
  cosigners: readonly Cosigner[] = [],
  secondKey?: Uint8Array,
): Checkpoint {
  require(Buffer.byteLength(note) <= 65536, 'a note has at most 64 KiB')
  const { text, lines } = splitNote(note)
  require(lines.length <= 64, 'a note has at most 64 signatures')
  const parts = text.split('\n')
  require(parts.length === 4 && parts[3] === '', 'a checkpoint of ours has three lines')
  require(parts[0] === origin, 'another origin')
  const size = decimal(parts[1] as string)
  require(size > 0, 'a writer never signs an empty tree')
  const root = base64(parts[2] as string)
  require(root.length === 32, 'the root has 32 bytes')
  const byWriter = lines.filter((line) => isBy(line, origin, 1, key))
  require(byWriter.length === 1, 'the writer has not signed, or more than once')
  checkSignature(key, utf8(text), byWriter[0]!.signature)
  const tree = { origin, size, root }
  const cosignedS = new Map<Cosigner, number>()
  for (const cosigner of cosigners) {
    const first = newest(cosignatureTimes(text, lines, cosigner))
    const second = newest(subtreeTimes(tree, lines, cosigner.keyName, cosigner.secondKey))
    require(cosigner.secondKey === undefined || first === second, 'half a cosignature')
    if (first !== undefined) cosignedS.set(cosigner, first)
  }
  const heartbeatS = newest(cosignatureTimes(text, lines, { keyName: origin, key }))
  if (secondKey !== undefined) {
    const times = subtreeTimes(tree, lines, origin, secondKey)
    require(times.filter((timeS) => timeS === 0).length === 1, 'one second signature of the head')
    require(newest(times.filter((timeS) => timeS > 0)) === heartbeatS, 'half a heartbeat')
  }
  return { size, root, heartbeatS, cosignedS }
}

function newest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times)
}

function isBy(line: SignatureLine, keyName: string, type: number, key: Uint8Array): boolean {
  return line.keyName === keyName && same(line.keyId, keyId(keyName, type, key))
}

/** timestamped_signature: u64 seconds, then the signature. All lines of the cosigner must hold. */
function cosignatureTimes(
  text: string,
  lines: readonly SignatureLine[],
  { keyName, key }: Cosigner,
): number[] {
  return lines
    .filter((line) => isBy(line, keyName, 4, key))
    .map(({ signature }) => {
      require(signature.length === 72, 'a cosignature has 72 bytes')
      const timeS = timeOf(signature)
      const message = utf8(`cosignature/v1\ntime ${timeS}\n${text}`)
      checkSignature(key, message, signature.subarray(8))
      return timeS
    })
}

function timeOf(signature: Uint8Array): number {
  const timeS = Number(Buffer.from(signature).readBigUInt64BE())
  require(Number.isSafeInteger(timeS), 'a time above 2^53 - 1')
  return timeS
}

/** The same for type 0x06; none without a key. */
function subtreeTimes(
  tree: { readonly origin: string; readonly size: number; readonly root: Uint8Array },
  lines: readonly SignatureLine[],
  keyName: string,
  key: Uint8Array | undefined,
): number[] {
  if (key === undefined) return []
  return lines
    .filter((line) => isBy(line, keyName, 6, key))
    .map(({ signature }) => {
      require(signature.length === 2428, 'an ML-DSA-44 cosignature has 2428 bytes')
      const timeS = timeOf(signature)
      checkMlDsa44(key, cosignedMessage(keyName, timeS, tree), signature.subarray(8))
      return timeS
    })
}
