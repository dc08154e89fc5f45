/**
 * The control messages of replication: strict CBOR arrays inside a session.
 *
 *     84 05 07 58 20 …  40              [5 (push), request id, capsule, branch]
 *     84 06 07 f6 00                    [6 (have), request id, no head, 0 entries]
 *
 * The first byte is 0x80 to 0x97, the head of a CBOR array; bulk messages begin with a byte below
 * 0x20 (entries-message.ts, bodies-message.ts). Who asks chooses the request id; answers repeat it.
 * Rules MS1-MS9 of docs/spec/message.md.
 *
 * @module
 */
import {
  asBranchId,
  asCapsuleName,
  asHash,
  asMlDsa44Signature,
  asSignature,
  BRANCH_ID_BYTES,
  type BranchId,
  type CapsuleName,
  type CborValue,
  checkAscending,
  compareBytes,
  decodeCbor,
  decodeHead,
  encodeCbor,
  encodeHead,
  type Fail,
  HASH_BYTES,
  type Hash,
  type Head,
  type Heartbeat,
  isLongshoreError,
  MANIFEST_SIGNED_BYTES_MAX,
  ML_DSA_44_SIGNATURE_BYTES,
  PATH_HASHES_MAX,
  ProtocolError,
  readArray,
  readBoolean,
  readBytes,
  readInteger,
  readText,
  readTuple,
  SIGNATURE_BYTES,
  type Signature,
} from '@longshore/capsule'
import {
  BODY_INDICES_MAX,
  BRANCHES_MAX,
  CHAIN_BYTES_MAX,
  CONTROL_BYTES_MAX,
  ERROR_TEXT_BYTES_MAX,
  PRESENTED_CHAINS_MAX,
} from './limits.ts'

/** When a head was stated, and the signature. */
export interface Statement {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Signature
}

interface Place {
  readonly name: CapsuleName
  readonly branch: BranchId
}

interface Fields {
  /** The request did not work out; nothing more comes for it. */
  error: { readonly code: string; readonly text: string; readonly retryAfterMs: number | null }
  /** What is there of this branch? */
  open: Place
  opened: {
    readonly manifest: Uint8Array
    /** All branches with an entry, ascending. */
    readonly branches: readonly BranchId[]
    readonly head: Head | null
    /** By the answering mirror, over this head. */
    readonly cosignature: Statement | null
    /** By the writer, over this head. */
    readonly heartbeat: Heartbeat | null
  }
  /** Take this capsule on; the chain lets the mirror serve it. */
  offer: { readonly manifest: Uint8Array; readonly chain: Uint8Array }
  accepted: Record<never, never>
  /** Entries of this branch follow, as bulk messages with this request id. */
  push: Place
  have: {
    /** The head in force. */
    readonly head: Head | null
    /** Go on from here: the entries below are there, with or without a head of their own. */
    readonly size: number
  }
  /** All entries below `size` are durable; `timeS` and `signature` are the mirror's statement. */
  receipt: { readonly size: number; readonly root: Hash } & Statement
  range: Place & {
    readonly start: number
    readonly end: number
    /** The proofs lead to the tree of this size, whose root the asker knows. */
    readonly size: number
    readonly wantsBodies: boolean
  }
  /** Everything that was asked for has been sent. */
  end: Record<never, never>
  /** Send every entry from `size` on, now and as they come. */
  follow: Place & { readonly size: number }
  /** Ends the follow with this request id. */
  unfollow: Record<never, never>
  /** What does the tree of `newSize` entries say about its first `oldSize`? */
  consistency: Place & { readonly oldSize: number; readonly newSize: number }
  /** The inconsistency path of PR9: it proves or disproves. */
  path: { readonly hashes: readonly Hash[] }
  bodies: Place & { readonly indices: readonly number[] }
  /** Ask for the receipt of the head in force. */
  cosign: Place
  /** The writer states the head of `size` entries again. */
  heartbeat: Place & { readonly size: number } & Heartbeat
  /** The branch has this head now; sent to those who subscribed, too large to come along. */
  news: Place & { readonly head: Head }
  /** Memberships of the asker, encoded chains: what it may read follows from them. */
  present: { readonly chains: readonly Uint8Array[] }
  /** Memberships of the answering node: in which domains its copies are. */
  presented: { readonly chains: readonly Uint8Array[] }
}

export type MessageKind = keyof Fields
export type MessageOf<TKind extends MessageKind> = {
  readonly kind: TKind
  readonly id: number
} & Fields[TKind]
export type ReplicaMessage = { [TKind in MessageKind]: MessageOf<TKind> }[MessageKind]

interface Codec<TFields> {
  readonly code: number
  readonly count: number
  /** Where the last field may be left out. Default: `count`. */
  readonly countMax?: number
  write(fields: TFields): CborValue[]
  read(values: readonly CborValue[]): TFields
}

const U32_MAX = 4_294_967_295
/** The message, an array in it, a statement or list. */
const DEPTH_MAX = 2
/** The largest question names 256 payloads. */
const ITEMS_MAX = 1024

const CODECS: { readonly [TKind in MessageKind]: Codec<Fields[TKind]> } = {
  error: {
    ...{ code: 0, count: 3 },
    write: ({ code, text, retryAfterMs }) => [code, text, retryAfterMs],
    read: ([code, text, retry]) => ({
      code: readCode(code),
      text: readText(text, ERROR_TEXT_BYTES_MAX, 'the text of an error', fail),
      retryAfterMs: retry === null ? null : readInteger(retry, 'the delay', fail, U32_MAX),
    }),
  },
  open: { code: 1, count: 2, write: writePlace, read: readPlace },
  opened: {
    ...{ code: 2, count: 5 },
    write: (opened) => [
      opened.manifest,
      opened.branches,
      writeHead(opened.head),
      writeStatement(opened.cosignature),
      opened.heartbeat === null ? null : writeHeartbeat(opened.heartbeat),
    ],
    read: ([manifest, branches, head, cosignature, heartbeat]) => ({
      manifest: readManifest(manifest),
      branches: readBranches(branches),
      head: readHeadOrNull(head),
      cosignature: readStatement(cosignature),
      heartbeat: heartbeat === null ? null : readHeartbeat(heartbeat),
    }),
  },
  offer: {
    ...{ code: 3, count: 2 },
    write: ({ manifest, chain }) => [manifest, chain],
    read: ([manifest, chain]) => ({
      manifest: readManifest(manifest),
      chain: readLimited(chain, CHAIN_BYTES_MAX, 'the chain'),
    }),
  },
  accepted: { code: 4, count: 0, write: () => [], read: () => ({}) },
  push: { code: 5, count: 2, write: writePlace, read: readPlace },
  have: {
    ...{ code: 6, count: 2 },
    write: ({ head, size }) => [writeHead(head), size],
    read: ([head, size]) => ({ head: readHeadOrNull(head), size: readSize(size) }),
  },
  receipt: {
    ...{ code: 7, count: 4 },
    write: ({ size, root, timeS, signature }) => [size, root, timeS, signature],
    read: ([size, root, timeS, signature]) => ({
      size: readSize(size),
      root: asHash(readBytes(root, HASH_BYTES, 'the root', fail)),
      timeS: readInteger(timeS, 'the time', fail),
      signature: readSignature(signature),
    }),
  },
  range: {
    ...{ code: 8, count: 6 },
    write: ({ name, branch, start, end, size, wantsBodies }) => [
      ...[name, branch, start, end, size, wantsBodies],
    ],
    read: ([name, branch, start, end, size, wantsBodies]) => ({
      ...readPlace([name as CborValue, branch as CborValue]),
      ...readRange(start, end, size),
      wantsBodies: readBoolean(wantsBodies, 'wantsBodies', fail),
    }),
  },
  end: { code: 9, count: 0, write: () => [], read: () => ({}) },
  follow: {
    ...{ code: 10, count: 3 },
    write: ({ name, branch, size }) => [name, branch, size],
    read: ([name, branch, size]) => ({
      ...readPlace([name as CborValue, branch as CborValue]),
      size: readSize(size),
    }),
  },
  unfollow: { code: 11, count: 0, write: () => [], read: () => ({}) },
  consistency: {
    ...{ code: 12, count: 4 },
    write: ({ name, branch, oldSize, newSize }) => [name, branch, oldSize, newSize],
    read: ([name, branch, oldSize, newSize]) => {
      const sizes = { oldSize: readSize(oldSize), newSize: readSize(newSize) }
      if (sizes.oldSize === 0 || sizes.oldSize >= sizes.newSize) fail('the old tree is smaller')
      return { ...readPlace([name as CborValue, branch as CborValue]), ...sizes }
    },
  },
  path: {
    ...{ code: 13, count: 1 },
    write: ({ hashes }) => [hashes],
    read: ([hashes]) => ({
      hashes: readArray(hashes, PATH_HASHES_MAX, 'the path', fail).map((hash) =>
        asHash(readBytes(hash, HASH_BYTES, 'a hash', fail)),
      ),
    }),
  },
  bodies: {
    ...{ code: 14, count: 3 },
    write: ({ name, branch, indices }) => [name, branch, indices],
    read: ([name, branch, indices]) => ({
      ...readPlace([name as CborValue, branch as CborValue]),
      indices: readIndices(indices),
    }),
  },
  cosign: { code: 15, count: 2, write: writePlace, read: readPlace },
  heartbeat: {
    ...{ code: 16, count: 5, countMax: 6 },
    write: ({ name, branch, size, ...heartbeat }) => [
      ...[name, branch, size],
      ...writeHeartbeat(heartbeat),
    ],
    read: ([name, branch, size, ...heartbeat]) => ({
      ...readPlace([name as CborValue, branch as CborValue]),
      size: readSize(size),
      ...readHeartbeat(heartbeat),
    }),
  },
  news: {
    ...{ code: 17, count: 3 },
    write: ({ name, branch, head }) => [name, branch, encodeHead(head)],
    read: ([name, branch, head]) => ({
      ...readPlace([name as CborValue, branch as CborValue]),
      head: readHeadOrNull(head) ?? fail('the head is missing'),
    }),
  },
  present: { code: 18, count: 1, write: ({ chains }) => [chains], read: readChains },
  presented: { code: 19, count: 1, write: ({ chains }) => [chains], read: readChains },
}

const KINDS: readonly MessageKind[] = Object.keys(CODECS) as MessageKind[]

/** True for a control message, false for a bulk message or anything else. */
export function isControlMessage(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0
  return first >= 0x80 && first <= 0x97
}

export function encodeMessage(message: ReplicaMessage): Uint8Array {
  const codec = CODECS[message.kind] as Codec<ReplicaMessage>
  return encodeCbor([codec.code, message.id, ...codec.write(message)], DEPTH_MAX)
}

/** @throws {ProtocolError} `PROTOCOL_ERROR` for anything but the one spelling of a message. */
export function decodeMessage(bytes: Uint8Array): ReplicaMessage {
  if (bytes.length > CONTROL_BYTES_MAX) fail('a control message is shorter')
  let value: CborValue
  try {
    value = decodeCbor(bytes, DEPTH_MAX, ITEMS_MAX)
  } catch (cause) {
    if (!isLongshoreError(cause)) throw cause
    throw invalid('not canonical CBOR', cause)
  }
  const [code, id, ...values] = readArray(value, CONTROL_BYTES_MAX, 'a message', fail)
  const kind = KINDS.find((candidate) => CODECS[candidate].code === code)
  if (kind === undefined) fail('this kind of message is not known')
  const codec = CODECS[kind] as Codec<unknown>
  const { count, countMax = count } = codec
  if (values.length < count || values.length > countMax) {
    fail(`${kind} has another number of fields`)
  }
  const header = { kind, id: readInteger(id, 'the request id', fail, U32_MAX) }
  return { ...header, ...(codec.read(values) as object) } as ReplicaMessage
}

function writePlace({ name, branch }: Place): CborValue[] {
  return [name, branch]
}

function readPlace([name, branch]: readonly CborValue[]): Place {
  return {
    name: asCapsuleName(readBytes(name, HASH_BYTES, 'the capsule', fail)),
    branch: readBranchId(branch),
  }
}

function readBranchId(value: CborValue | undefined): BranchId {
  const bytes = readBytes(value, undefined, 'the branch', fail)
  if (bytes.length !== 0 && bytes.length !== BRANCH_ID_BYTES) fail('a branch id has 0 or 16 bytes')
  return asBranchId(bytes)
}

function readBranches(value: CborValue | undefined): readonly BranchId[] {
  const branches = readArray(value, BRANCHES_MAX, 'the branches', fail).map(readBranchId)
  checkAscending(branches, compareBytes, 'the branches', fail)
  return branches
}

function writeHead(head: Head | null): CborValue {
  return head === null ? null : encodeHead(head)
}

function readHeadOrNull(value: CborValue | undefined): Head | null {
  if (value === null) return null
  try {
    return decodeHead(readBytes(value, undefined, 'the head', fail))
  } catch (cause) {
    if (!isLongshoreError(cause)) throw cause
    throw invalid('not a compact head', cause)
  }
}

function writeStatement(statement: Statement | null): CborValue {
  return statement === null ? null : [statement.timeS, statement.signature]
}

function readStatement(value: CborValue | undefined): Statement | null {
  if (value === null) return null
  const [timeS, signature] = readTuple(value, 2, 'a statement', fail)
  return {
    timeS: readInteger(timeS, 'the time', fail),
    signature: readSignature(signature),
  }
}

/** With the second signature as third item where the writer has two keys. */
function writeHeartbeat({ timeS, signature, mlDsa44 }: Heartbeat): CborValue[] {
  return mlDsa44 === undefined ? [timeS, signature] : [timeS, signature, mlDsa44]
}

function readHeartbeat(value: CborValue | undefined): Heartbeat {
  const count = Array.isArray(value) && value.length === 3 ? 3 : 2
  const [timeS, signature, second] = readTuple(value, count, 'a heartbeat', fail)
  const heartbeat = {
    timeS: readInteger(timeS, 'the time', fail),
    signature: readSignature(signature),
  }
  if (second === undefined) return heartbeat
  const bytes = readBytes(second, ML_DSA_44_SIGNATURE_BYTES, 'the second signature', fail)
  return { ...heartbeat, mlDsa44: asMlDsa44Signature(bytes) }
}

function readSignature(value: CborValue | undefined): Signature {
  return asSignature(readBytes(value, SIGNATURE_BYTES, 'a signature', fail))
}

function readManifest(value: CborValue | undefined): Uint8Array {
  return readLimited(value, MANIFEST_SIGNED_BYTES_MAX, 'the manifest')
}

function readLimited(value: CborValue | undefined, bytesMax: number, what: string): Uint8Array {
  const bytes = readBytes(value, undefined, what, fail)
  if (bytes.length > bytesMax) fail(`${what} is too long`)
  return bytes
}

function readChains([value]: readonly CborValue[]): { readonly chains: readonly Uint8Array[] } {
  const items = readArray(value, PRESENTED_CHAINS_MAX, 'the chains', fail)
  return { chains: items.map((item) => readLimited(item, CHAIN_BYTES_MAX, 'a chain')) }
}

function readSize(value: CborValue | undefined): number {
  return readInteger(value, 'a size', fail)
}

function readRange(
  startValue: CborValue | undefined,
  endValue: CborValue | undefined,
  sizeValue: CborValue | undefined,
): { start: number; end: number; size: number } {
  const [start, end, size] = [readSize(startValue), readSize(endValue), readSize(sizeValue)]
  if (start >= end || end > size) fail('a range lies in its tree and is not empty')
  return { start, end, size }
}

function readIndices(value: CborValue | undefined): readonly number[] {
  const indices = readArray(value, BODY_INDICES_MAX, 'the indices', fail).map(readSize)
  if (indices.length === 0) fail('an index is missing')
  checkAscending(indices, (a, b) => a - b, 'the indices', fail)
  return indices
}

function readCode(value: CborValue | undefined): string {
  const code = readText(value, 64, 'the code of an error', fail)
  if (!/^[A-Z][A-Z_0-9]*$/.test(code)) fail('a code is upper case')
  return code
}

const fail: Fail = (what) => {
  throw invalid(what)
}

function invalid(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError('PROTOCOL_ERROR', `not a message of ours: ${what}`, undefined, { cause })
}
