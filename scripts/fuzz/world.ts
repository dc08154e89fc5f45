/**
 * A small, valid world that never changes: where the samples of the fuzzers come from.
 *
 * @module
 */
import {
  asBranchId,
  asCapsuleName,
  asHash,
  createBody,
  createControlHeader,
  createHeartbeat,
  createReceipt,
  createSigner,
  encodeHeader,
  encodeUtf8,
  type FullTile,
  type Head,
  type Header,
  hashLeaf,
  KIND_BLINDED,
  KIND_PLAIN,
  MAIN_BRANCH,
  type Manifest,
  manifestKeysOf,
  NO_EXTENSION,
  NO_POINTERS,
  proveInclusion,
  RightEdge,
  type SignedManifest,
  type Signer,
  sha256,
  signHead,
  signManifest,
  type TileSource,
} from '@longshore/capsule'

const TIME_US = 1_790_000_000_000_000
const ENTRY_COUNT = 300

const bytesOf = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const hash = (value: number) => asHash(bytesOf(32, value))
const branch = asBranchId(bytesOf(16, 3))

export const owner: Signer = createSigner(bytesOf(32, 11))
export const writer: Signer = createSigner(bytesOf(32, 12))
/** Owner and writer with two keys each. */
const jointOwner: Signer = createSigner(bytesOf(32, 13), bytesOf(32, 14))
export const jointWriter: Signer = createSigner(bytesOf(32, 15), bytesOf(32, 16))

const capsuleManifest: Manifest = {
  type: 'capsule',
  version: 1,
  keys: [
    { alg: 'ed25519', use: 'owner', key: owner.publicKey },
    { alg: 'ed25519', use: 'writer', key: writer.publicKey },
  ],
  mode: 'strict',
  nonce: bytesOf(16, 1),
  timeUs: TIME_US,
  policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: [] },
  blind: false,
  authority: null,
  labels: {},
  crit: [],
  ext: new Map(),
}

const domains = [asCapsuleName(bytesOf(32, 4)), asCapsuleName(bytesOf(32, 5))]

export const manifests: readonly Manifest[] = [
  capsuleManifest,
  {
    ...capsuleManifest,
    ...{ mode: 'branching', blind: true, authority: asCapsuleName(bytesOf(32, 6)) },
    policy: { carry: domains, copies: 64, exclude: domains, hold: domains, read: 'any' },
    labels: { sensor: 'door-1', place: 'Zürich' },
    ext: new Map([['example.com/a', new Map([['b', [1, null, true, bytesOf(3, 9)]]])]]),
  },
  {
    ...capsuleManifest,
    type: 'person',
    keys: [{ alg: 'ed25519', use: 'owner', key: owner.publicKey }],
  },
]

export const capsule: SignedManifest = signManifest(capsuleManifest, owner)

/** The same capsule under two keys for each role. */
export const jointCapsule: SignedManifest = signManifest(
  {
    ...capsuleManifest,
    keys: [...manifestKeysOf(jointOwner, 'owner'), ...manifestKeysOf(jointWriter, 'writer')],
  },
  jointOwner,
)

const plain = { timeUs: TIME_US, pointers: NO_POINTERS, ext: NO_EXTENSION }
const pointer = { capsule: null, branch: MAIN_BRANCH, index: 2, leafHash: hash(7) }
const headPointer = { branch, epoch: 0, size: 5, root: hash(8) }
const app = new Map([['example.com/lang', 'en']])

export const headers: readonly Header[] = [
  { ...plain, kind: KIND_PLAIN, payloadBytes: 100, payloadHash: hash(1) },
  { ...plain, kind: KIND_BLINDED, timeUs: 0, payloadBytes: 1_048_576, payloadHash: hash(1) },
  { ...plain, kind: KIND_PLAIN, payloadBytes: 3, payloadHash: hash(1), pointers: [pointer] },
  {
    ...{ ...plain, kind: KIND_PLAIN, payloadBytes: 3, payloadHash: hash(1) },
    pointers: [pointer, { ...pointer, capsule: asCapsuleName(bytesOf(32, 9)), branch }],
    ext: { control: null, app },
  },
  ...[
    createControlHeader(TIME_US, { type: 'branch', parent: headPointer, reason: 'restored' }),
    createControlHeader(TIME_US, {
      ...{ type: 'merge', continuing: MAIN_BRANCH, sealed: [headPointer] },
    }),
    createControlHeader(TIME_US, {
      ...{ type: 'erase', reason: 'asked for' },
      ranges: [
        { start: 0, end: 2 },
        { start: 5, end: 6 },
      ],
    }),
    createControlHeader(TIME_US, { type: 'recover', anchor: null, reason: 'disk replaced' }),
    createControlHeader(TIME_US, {
      ...{ type: 'recover', anchor: { size: 3, root: hash(2) }, reason: '' },
    }),
    createControlHeader(TIME_US, { type: 'writer', cert: bytesOf(20, 1) }),
  ],
]

/** The tree of the capsule above: ENTRY_COUNT small entries. */
class Log implements TileSource {
  readonly payloads: Uint8Array[] = []
  readonly bodies: Uint8Array[] = []
  readonly headers: Uint8Array[] = []
  readonly #edge = RightEdge.empty()
  readonly #tiles = new Map<string, FullTile>()

  constructor() {
    for (let i = 0; i < ENTRY_COUNT; i++) {
      const payload = encodeUtf8(`payload ${i}`)
      const kind = i % 2 === 0 ? KIND_PLAIN : KIND_BLINDED
      const body = createBody(
        kind,
        payload,
        kind === KIND_BLINDED ? bytesOf(16, i & 255) : undefined,
      )
      const payloadHash = sha256(body)
      const header = encodeHeader({
        ...{ ...plain, kind, timeUs: TIME_US + i, payloadBytes: payload.length, payloadHash },
      })
      this.payloads.push(payload)
      this.bodies.push(body)
      this.headers.push(header)
      for (const tile of this.#edge.append(hashLeaf(header))) {
        this.#tiles.set(`${tile.level}/${tile.n}`, tile)
      }
    }
  }

  get head(): Head {
    const root = this.#edge.root()
    const unsigned = { name: capsule.name, branch: MAIN_BRANCH, epoch: 0, size: ENTRY_COUNT, root }
    return signHead(unsigned, writer)
  }

  tile(level: number, n: number, width: number): Uint8Array {
    const full = this.#tiles.get(`${level}/${n}`)
    return (full?.bytes ?? this.#edge.partialTile(level)).subarray(0, 32 * width)
  }
}

export const log: Log = new Log()
export const head: Head = log.head
/** The same tree in the capsule of two keys. */
export const jointHead: Head = signHead({ ...log.head, name: jointCapsule.name }, jointWriter)

export function receiptOf(index: number, withHeartbeat: boolean): string {
  const { name, signed } = capsule
  const heartbeat = createHeartbeat(name, head, Math.floor(TIME_US / 1e6), writer)
  return createReceipt({
    manifest: signed,
    header: log.headers[index] ?? new Uint8Array(),
    ...(index % 3 === 0 ? {} : { body: log.bodies[index] ?? new Uint8Array() }),
    index,
    head,
    path: proveInclusion(log, index, ENTRY_COUNT),
    writerKey: writer.key,
    ...(withHeartbeat ? { heartbeat } : {}),
  })
}
