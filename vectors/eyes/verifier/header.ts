/**
 * Entry headers: the array [kind, time, payload size, payload hash, pointers, extension].
 *
 * @module
 */
import { asArray, asBytes, asNumber, readCbor, type Value } from './cbor.ts'
import { refuse, require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

export interface OpenedHeader {
  readonly kind: number
  readonly payloadBytes: number
  readonly payloadHash: Uint8Array
  /** The command in the extension, if there is one. */
  readonly control: string | undefined
  readonly controlValue: Value | undefined
}

const CONTROLS = ['branch', 'erase', 'merge', 'recover', 'writer']
const HEADER_BYTES_MAX = 16384
const SALT_BYTES = 16

export function readHeader(bytes: Uint8Array): OpenedHeader {
  require(bytes.length <= HEADER_BYTES_MAX, 'the header is too long')
  const fields = asArray(readCbor(bytes))
  require(fields.length >= 4 && fields.length <= 6, 'a header has 4 to 6 fields')
  const kind = asNumber(fields[0], 2)
  asNumber(fields[1])
  const payloadBytes = asNumber(fields[2], 1048576)
  const payloadHash = asBytes(fields[3], 32)
  if (fields.length > 4) readPointers(asArray(fields[4]), fields.length === 5)
  const control = fields.length === 6 ? readExtension(fields[5]) : undefined
  const isEmpty = kind === 0 && payloadBytes === 0 && same(payloadHash, sha256())
  require(control === undefined || isEmpty, 'a command with a payload')
  const extension = fields[5]
  const controlValue =
    control !== undefined && extension instanceof Map ? extension.get(control) : undefined
  return { kind, payloadBytes, payloadHash, control, controlValue }
}

function readPointers(pointers: readonly Value[], isLast: boolean): void {
  require(pointers.length <= 64 && !(isLast && pointers.length === 0), 'a wrong number of pointers')
  for (const pointer of pointers) {
    const [capsule, branch, index, leaf, ...rest] = asArray(pointer)
    require(rest.length === 0, 'a pointer has four fields')
    if (capsule !== null) asBytes(capsule, 32)
    readBranch(branch)
    asNumber(index, Number.MAX_SAFE_INTEGER - 1)
    asBytes(leaf, 32)
  }
}

function readBranch(value: Value | undefined): Uint8Array {
  const branch = asBytes(value)
  require(branch.length === 0 || branch.length === 16, 'a branch has 0 or 16 bytes')
  return branch
}

/** The values of commands are checked where they are acted upon (erasing, below). */
function readExtension(value: Value | undefined): string | undefined {
  if (!(value instanceof Map) || value.size === 0) return refuse('an extension is a map with keys')
  const registered = [...value.keys()].filter((key) => !key.includes('/'))
  require(registered.every((key) => CONTROLS.includes(key)), 'an unknown key in the extension')
  require(registered.length <= 1, 'two commands in one entry')
  return registered[0]
}

/** Indices that an erase entry names, as half-open ranges. */
export function erasedRanges(value: Value | undefined): [start: number, end: number][] {
  const [ranges, reason, ...rest] = asArray(value)
  require(rest.length === 0 && typeof reason === 'string', 'erase has two fields')
  return asArray(ranges).map((range) => {
    const [start, end, ...more] = asArray(range)
    require(more.length === 0, 'a range has two ends')
    return [asNumber(start), asNumber(end)]
  })
}

/** The payload in a stored body; refuses a body that is not what the header commits to. */
export function checkBody(header: OpenedHeader, body: Uint8Array): Uint8Array {
  const salt = header.kind === 1 ? SALT_BYTES : 0
  require(body.length === header.payloadBytes + salt, 'a payload of another size')
  require(same(sha256(body), header.payloadHash), 'another payload')
  return body.slice(salt)
}
