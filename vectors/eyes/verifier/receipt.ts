/**
 * A receipt, offline: C2SP tlog-proof with our extra.
 *
 * @module
 */
import { asArray, asBytes, asMap, asNumber, decodeText, readCbor, type Value } from './cbor.ts'
import { checkControlPlace } from './control.ts'
import { checkBody, readHeader } from './header.ts'
import { openManifest } from './manifest.ts'
import { capsuleOrigin, formatName, parseOrigin } from './name.ts'
import { base64, type Cosigner, decimal, openCheckpoint } from './note.ts'
import { require } from './refuse.ts'
import { checkInclusion, leafHash, same } from './tree.ts'

const RECEIPT_BYTES_MAX = 262144
const EXTRA_KEYS = ['certs', 'cosigners', 'header', 'manifest', 'payload', 'v']

export interface OpenedReceipt {
  readonly name: Uint8Array
  readonly owner: Uint8Array
  readonly branch: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  readonly header: Uint8Array
  /** Without the salt; undefined if the receipt does not carry it. */
  readonly payload: Uint8Array | undefined
  readonly heartbeatS: number | undefined
}

/** `expected` is the capsule that the reader asked for; without it any capsule will do. */
export function openReceipt(file: Uint8Array, expected?: Uint8Array): OpenedReceipt {
  require(file.length <= RECEIPT_BYTES_MAX, 'the receipt is too long')
  const { extra, index, path, checkpoint } = splitReceipt(decodeText(file))
  const fields = asMap(readCbor(extra), EXTRA_KEYS)
  require(fields.size === EXTRA_KEYS.length - (fields.has('payload') ? 0 : 1), 'a key is missing')
  require(asNumber(fields.get('v')) === 1, 'another version')
  for (const cert of asArray(fields.get('certs'))) asBytes(cert)
  const cosigners = readCosigners(asArray(fields.get('cosigners')))
  const manifest = openManifest(asBytes(fields.get('manifest')), 'capsule')
  require(expected === undefined || same(expected, manifest.name), 'another capsule')
  const [owner, writer] = [manifest.keys.get('owner')!, manifest.keys.get('writer')!]
  const { name, branch } = parseOrigin(checkpoint.slice(0, checkpoint.indexOf('\n')))
  require(same(name, manifest.name), 'the checkpoint is of another capsule')
  const origin = capsuleOrigin(name, branch)
  const second = manifest.secondKeys.get('writer')
  const opened = openCheckpoint(checkpoint, origin, writer, cosigners, second)
  const { size, root, heartbeatS } = opened
  const header = asBytes(fields.get('header'))
  const parsed = readHeader(header)
  checkControlPlace(parsed.control, branch, index)
  checkInclusion(leafHash(header), index, size, path, root)
  let payload: Uint8Array | undefined
  if (fields.has('payload')) {
    const body = asBytes(fields.get('payload'))
    require(body.length <= 65536, 'a payload above 64 KiB')
    payload = checkBody(parsed, body)
  }
  return { name, owner, branch, index, size, root, header, payload, heartbeatS }
}

/** Nodes that may have cosigned: [signed manifest, certificates], sorted by name. */
function readCosigners(items: readonly Value[]): Cosigner[] {
  const cosigners: Cosigner[] = []
  let previous: Uint8Array | undefined
  for (const item of items) {
    const [manifest, certs, ...rest] = asArray(item)
    require(rest.length === 0, 'a cosigner has two fields')
    for (const cert of asArray(certs)) asBytes(cert)
    const { name, keys, secondKeys } = openManifest(asBytes(manifest), 'node')
    const isSorted = previous === undefined || Buffer.compare(previous, name) < 0
    require(isSorted, 'cosigners repeated or not sorted')
    previous = name
    for (const role of ['mirror', 'witness']) {
      const keyName = `longshore/${formatName(name)}/${role}`
      cosigners.push({ keyName, key: keys.get(role)!, secondKey: secondKeys.get(role) })
    }
  }
  return cosigners
}

function splitReceipt(text: string): {
  extra: Uint8Array
  index: number
  path: Uint8Array[]
  checkpoint: string
} {
  const end = text.indexOf('\n\n')
  require(end >= 0, 'no empty line')
  const [version, extraLine, indexLine, ...hashes] = text.slice(0, end).split('\n')
  require(version === 'c2sp.org/tlog-proof@v1', 'not a tlog-proof')
  require(extraLine?.startsWith('extra ') === true, 'no extra')
  require(indexLine?.startsWith('index ') === true, 'no index')
  require(hashes.length <= 63, 'too many hashes')
  const path = hashes.map(base64)
  require(path.every((hash) => hash.length === 32), 'a hash has 32 bytes')
  return {
    extra: base64(extraLine.slice(6)),
    index: decimal(indexLine.slice(6)),
    path,
    checkpoint: text.slice(end + 2),
  }
}
