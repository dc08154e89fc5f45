/**
 * Entry headers: the array [kind, time, payload size, payload hash, pointers, extension].
 *
 * @module
 */
import { asArray, asBytes, asNumber, readCbor, type Value } from './cbor.ts'
import { type Control, readBranch, readControl } from './control.ts'
import { refuse, require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

export interface OpenedHeader {
  readonly kind: number
  readonly payloadBytes: number
  readonly payloadHash: Uint8Array
  /** The command in the extension, if there is one. */
  readonly control: Control | undefined
}

const HEADER_BYTES_MAX = 16384
/** The header, its extension, and eight levels in a value of that. */
const HEADER_DEPTH_MAX = 10
const SALT_BYTES = 16

export function readHeader(bytes: Uint8Array): OpenedHeader {
  require(bytes.length <= HEADER_BYTES_MAX, 'the header is too long')
  const fields = asArray(readCbor(bytes, HEADER_DEPTH_MAX))
  require(fields.length >= 4 && fields.length <= 6, 'a header has 4 to 6 fields')
  const kind = asNumber(fields[0], 2)
  asNumber(fields[1])
  const payloadBytes = asNumber(fields[2], 1048576)
  const payloadHash = asBytes(fields[3], 32)
  if (fields.length > 4) readPointers(asArray(fields[4]), fields.length === 5)
  const control = fields.length === 6 ? readExtension(fields[5]) : undefined
  const isEmpty = kind === 0 && payloadBytes === 0 && same(payloadHash, sha256())
  require(control === undefined || isEmpty, 'a command with a payload')
  return { kind, payloadBytes, payloadHash, control }
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

/** The command in an extension, if there is one: a key without "/". */
function readExtension(value: Value | undefined): Control | undefined {
  if (!(value instanceof Map) || value.size === 0) return refuse('an extension is a map with keys')
  const registered = [...value.keys()].filter((key) => !key.includes('/'))
  require(registered.length <= 1, 'two commands in one entry')
  const [type] = registered
  return type === undefined ? undefined : readControl(type, value.get(type)!)
}

/** The payload in a stored body; refuses a body that is not what the header commits to. */
export function checkBody(header: OpenedHeader, body: Uint8Array): Uint8Array {
  const salt = header.kind === 1 ? SALT_BYTES : 0
  require(body.length === header.payloadBytes + salt, 'a payload of another size')
  require(same(sha256(body), header.payloadHash), 'another payload')
  return body.slice(salt)
}
