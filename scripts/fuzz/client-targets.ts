/**
 * Decoders of the client: what another process says on the local socket, and a backup's list.
 *
 * @module
 */
import {
  bytesEqual,
  type CborMap,
  type CborValue,
  concatBytes,
  formatName,
  MAIN_BRANCH,
  ProtocolError,
} from '@longshore/capsule'
import {
  BACKUP_PREFIX_BYTES,
  decodeBackupList,
  decodeBackupPrefix,
  decodeError,
  encodeBackupList,
  encodeError,
  encodeFrame,
  Fields,
  FrameReader,
  OPERATIONS,
} from '@longshore/client/testing'
import type { FuzzTarget } from './fuzz-target.ts'
import { capsule, head } from './world.ts'

const at = { name: capsule.name, branch: MAIN_BRANCH }
const terms = { level: 'stored', timeUs: undefined, kind: undefined, pointers: [], ext: new Map() }

/** Arguments of each operation, as the guest would encode them. */
const ARGUMENTS: Readonly<Record<string, unknown>> = {
  append: { at, payloads: [new Uint8Array(3), new Uint8Array(0)], terms },
  erase: { at, ranges: [{ start: 1, end: 3 }], reason: 'asked for' },
  recover: { at, reason: 'the disk was replaced' },
  resume: { at, record: 'a/record' },
  'take-in': { signedManifest: new Uint8Array(5), file: '/somewhere/file' },
  mend: { signedManifest: new Uint8Array(5), file: '/somewhere/file' },
  heartbeat: at,
  settle: at,
  create: { labels: { sensor: 'door-1' }, blind: true, public: false },
  'create-identity': { label: 'me' },
  import: { directory: '/somewhere' },
  backup: { file: '/somewhere/file' },
  compact: {},
  fsck: { repair: true },
  remember: { key: 'net/ticket', value: new Uint8Array([1, 2]) },
}

type AnyOperation = { encode(args: unknown): CborMap; decode(fields: Fields): unknown }

function operationOf(op: string): AnyOperation {
  const operation = OPERATIONS.get(op)
  if (operation === undefined) throw new ProtocolError('FRAME_INVALID', 'no such operation')
  return operation as unknown as AnyOperation
}

function createRequest(id: number, op: string, args: CborMap): Uint8Array {
  return encodeFrame(
    new Map<string, CborValue>([
      ['id', id],
      ['op', op],
      ['args', args],
    ]),
  )
}

function requestSamples(): Uint8Array[] {
  return [...OPERATIONS.keys()].map((op, id) => {
    if (!(op in ARGUMENTS)) throw new Error(`client-targets.ts has no arguments for ${op}`)
    return createRequest(id, op, operationOf(op).encode(ARGUMENTS[op]))
  })
}

/** The messages that are complete; the rest of the stream may still come. */
function* framesOf(input: Uint8Array): Generator<CborMap> {
  for (const { message } of new FrameReader().push(input)) yield message
}

/** Reads one request and writes it again. */
function readRequest(message: CborMap | undefined): Uint8Array {
  const fields = new Fields(message)
  const id = fields.uint('id')
  const op = fields.text('op')
  const args = new Fields(fields.map('args'))
  fields.end()
  const decoded = operationOf(op).decode(args)
  args.end()
  return createRequest(id, op, operationOf(op).encode(decoded))
}

const LIST = [
  { path: 'config.json', byteLength: 127 },
  { path: `keys/${formatName(capsule.name)}.key`, byteLength: 65 },
  { path: 'store/segments/00000001.0.seg', byteLength: 262_144 },
]

export const clientTargets: readonly FuzzTarget[] = [
  {
    name: 'frame',
    samples: () => {
      const requests = requestSamples()
      return [...requests, concatBytes(...requests.slice(0, 3))]
    },
    roundTrip: (input) => {
      const messages = [...framesOf(input)]
      const again = concatBytes(...messages.map(encodeFrame))
      // What follows the last complete frame is not decoded yet.
      return concatBytes(again, input.subarray(again.length))
    },
  },
  {
    // A null field may stand for an absent one, so only the second reading must be exact.
    name: 'request',
    samples: requestSamples,
    roundTrip: (input) => {
      const [message] = framesOf(input)
      const again = readRequest(message)
      const [same] = framesOf(again)
      if (!bytesEqual(readRequest(same), again)) throw new Error('read two meanings')
      return undefined
    },
  },
  {
    name: 'error-message',
    samples: () => {
      const refusal = new ProtocolError('FRAME_INVALID', 'not this way', { id: 7, why: 'x' })
      return [encodeFrame(encodeError(refusal)), encodeFrame(encodeError(new Error('a defect')))]
    },
    roundTrip: (input) => {
      const [message] = framesOf(input)
      if (message !== undefined) decodeError(message)
      return undefined
    },
  },
  {
    name: 'backup-list',
    samples: () => [
      encodeBackupList(LIST),
      encodeBackupList([{ ...LIST[0]!, byteLength: head.size }]),
    ],
    roundTrip: (input) => {
      if (input.length < BACKUP_PREFIX_BYTES) throw new ProtocolError('FRAME_INVALID', 'too short')
      const listBytes = decodeBackupPrefix(input)
      const end = BACKUP_PREFIX_BYTES + listBytes
      if (input.length < end) throw new ProtocolError('FRAME_INVALID', 'cut off')
      const again = encodeBackupList(decodeBackupList(input.subarray(BACKUP_PREFIX_BYTES, end)))
      return concatBytes(again, input.subarray(end))
    },
  },
]
