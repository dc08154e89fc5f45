/**
 * What a mirror keeps about one branch beside its entries, in one note of its home.
 *
 *     mirror/<name hex>/<branch hex>
 *     84 1a 68 … 18 64 f6 82 00 05      [timeS, size, heartbeat, [start, end, …]]
 *
 * `timeS` and `size` are those of the last statement that the mirror key may have made: they never
 * decrease (F13). The heartbeat is the writer's newest: [size, timeS, signature], with a second
 * signature where the writer has two keys, or null. The numbers at the end are ranges in which
 * payloads may be missing. Rule MI12 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  asMlDsa44Signature,
  asSignature,
  type BranchId,
  type CapsuleName,
  type CborValue,
  decodeCbor,
  encodeCbor,
  type Fail,
  formatHex,
  type Heartbeat,
  ML_DSA_44_SIGNATURE_BYTES,
  readArray,
  readBytes,
  readInteger,
  readTuple,
  SIGNATURE_BYTES,
  UnavailableError,
} from '@longshore/capsule'
import type { IndexRange, StoreOp, StoreReader } from '../store/store.ts'

/** A heartbeat of the writer and the size of the head that it is over. */
export interface SizedHeartbeat extends Heartbeat {
  readonly size: number
}

export interface MirrorNote {
  /** Of the last statement; both 0 before the first. */
  readonly timeS: number
  readonly size: number
  readonly heartbeat: SizedHeartbeat | undefined
  /** Ascending. Payloads outside of them are all there or erased. */
  readonly holes: readonly IndexRange[]
}

const NO_NOTE: MirrorNote = Object.freeze({ timeS: 0, size: 0, heartbeat: undefined, holes: [] })
const VALUES_MAX = 4096

export function readMirrorNote(
  store: StoreReader,
  name: CapsuleName,
  branch: BranchId,
): MirrorNote {
  const value = store.note(noteKey(name, branch))
  if (value === undefined) return NO_NOTE
  const [timeS, size, heartbeat, flat] = readTuple(decodeCbor(value, 2), 4, 'the note', fail)
  const numbers = readArray(flat, VALUES_MAX, 'the holes', fail).map((item) =>
    readInteger(item, 'an index', fail),
  )
  const holes: IndexRange[] = []
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    holes.push({ start: numbers[i] as number, end: numbers[i + 1] as number })
  }
  return {
    timeS: readInteger(timeS, 'the time', fail),
    size: readInteger(size, 'the size', fail),
    heartbeat: heartbeat === null ? undefined : readHeartbeat(heartbeat),
    holes,
  }
}

export function createMirrorNote(name: CapsuleName, branch: BranchId, note: MirrorNote): StoreOp {
  const { timeS, size, heartbeat, holes } = note
  const value: CborValue = [
    timeS,
    size,
    heartbeat === undefined ? null : writeHeartbeat(heartbeat),
    holes.flatMap(({ start, end }) => [start, end]),
  ]
  return { type: 'note', key: noteKey(name, branch), value: encodeCbor(value, 2) }
}

function noteKey(name: CapsuleName, branch: BranchId): string {
  return `mirror/${formatHex(name)}/${formatHex(branch)}`
}

function writeHeartbeat({ size, timeS, signature, mlDsa44 }: SizedHeartbeat): CborValue {
  return mlDsa44 === undefined ? [size, timeS, signature] : [size, timeS, signature, mlDsa44]
}

function readHeartbeat(value: CborValue | undefined): SizedHeartbeat {
  const count = Array.isArray(value) && value.length === 4 ? 4 : 3
  const [size, timeS, signature, second] = readTuple(value, count, 'the heartbeat', fail)
  const heartbeat = {
    size: readInteger(size, 'the size', fail),
    timeS: readInteger(timeS, 'the time', fail),
    signature: asSignature(readBytes(signature, SIGNATURE_BYTES, 'the signature', fail)),
  }
  if (second === undefined) return heartbeat
  const bytes = readBytes(second, ML_DSA_44_SIGNATURE_BYTES, 'the second signature', fail)
  return { ...heartbeat, mlDsa44: asMlDsa44Signature(bytes) }
}

const fail: Fail = (what) => {
  throw new UnavailableError('STORE_CORRUPT', `the note of a mirrored branch is damaged: ${what}`)
}
