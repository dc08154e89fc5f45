/**
 * A receipt, offline: C2SP tlog-proof with our extra.
 *
 * @module
 */
import { asArray, asBytes, asMap, asNumber, decodeText, readCbor, type Value } from './cbor.ts'
import { checkServes, memberDomain, writerInForce } from './cert.ts'
import { checkControlPlace } from './control.ts'
import { checkBody, readHeader } from './header.ts'
import { type OpenedManifest, openManifest } from './manifest.ts'
import { capsuleOrigin, formatName, parseOrigin } from './name.ts'
import { base64, type Cosigner, decimal, openCheckpoint } from './note.ts'
import { Refused, require } from './refuse.ts'
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
  readonly mirrors: readonly Mirror[]
}

/** A node whose cosignature counts. */
export interface Mirror {
  readonly name: Uint8Array
  readonly domains: readonly Uint8Array[]
  readonly timeS: number
}

interface Node extends Cosigner {
  readonly name: Uint8Array
  readonly role: string
  readonly chains: readonly Uint8Array[]
}

/** `expected` is the capsule that the reader asked for; without it any capsule will do. */
export function openReceipt(file: Uint8Array, expected?: Uint8Array): OpenedReceipt {
  require(file.length <= RECEIPT_BYTES_MAX, 'the receipt is too long')
  const { extra, index, path, checkpoint } = splitReceipt(decodeText(file))
  const fields = asMap(readCbor(extra), EXTRA_KEYS)
  require(fields.size === EXTRA_KEYS.length - (fields.has('payload') ? 0 : 1), 'a key is missing')
  require(asNumber(fields.get('v')) === 1, 'another version')
  const certs = asArray(fields.get('certs')).map((cert) => asBytes(cert))
  const cosigners = readCosigners(asArray(fields.get('cosigners')))
  const manifest = openManifest(asBytes(fields.get('manifest')), 'capsule')
  require(expected === undefined || same(expected, manifest.name), 'another capsule')
  const owner = manifest.keys.get('owner')!
  const { name, branch } = parseOrigin(checkpoint.slice(0, checkpoint.indexOf('\n')))
  require(same(name, manifest.name), 'the checkpoint is of another capsule')
  const origin = capsuleOrigin(name, branch)
  const writer = writerInForce(certs, manifest, branch)
  const opened = openCheckpoint(checkpoint, origin, writer.key, cosigners, writer.secondKey)
  const { size, root, heartbeatS } = opened
  require(size >= writer.sizeMin, 'a head before the key that signed it')
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
  const mirrors = judgeMirrors(manifest, cosigners, opened.cosignedS)
  return { name, owner, branch, index, size, root, header, payload, heartbeatS, mirrors }
}

function judgeMirrors(
  capsule: OpenedManifest,
  nodes: readonly Node[],
  cosignedS: ReadonlyMap<Cosigner, number>,
): Mirror[] {
  const mirrors: Mirror[] = []
  const keys: Uint8Array[] = []
  for (const node of nodes) {
    const timeS = cosignedS.get(node)
    const isNew = !keys.some((key) => same(key, node.key))
    if (timeS === undefined || node.role !== 'mirror' || !isNew) continue
    const [ad = new Uint8Array(0), ...members] = node.chains
    const domains = members.flatMap((chain) => {
      return attempt(() => memberDomain(chain, node.name, timeS)) ?? []
    })
    const counts = attempt(() => {
      checkServes(ad, node.name, capsule, domains, timeS)
      return true
    })
    if (counts !== true) continue
    keys.push(node.key)
    mirrors.push({ name: node.name, domains: domains.toSorted(Buffer.compare), timeS })
  }
  return mirrors
}

/** Undefined if it is refused: what does not hold makes a receipt say less. */
function attempt<TResult>(check: () => TResult): TResult | undefined {
  try {
    return check()
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

/** Nodes that may have cosigned: [signed manifest, chains], sorted by name. */
function readCosigners(items: readonly Value[]): Node[] {
  const cosigners: Node[] = []
  let previous: Uint8Array | undefined
  for (const item of items) {
    const [manifest, certs, ...rest] = asArray(item)
    require(rest.length === 0, 'a cosigner has two fields')
    const chains = asArray(certs).map((chain) => asBytes(chain))
    const { name, keys, secondKeys } = openManifest(asBytes(manifest), 'node')
    const isSorted = previous === undefined || Buffer.compare(previous, name) < 0
    require(isSorted, 'cosigners repeated or not sorted')
    previous = name
    for (const role of ['mirror', 'witness']) {
      const keyName = `longshore/${formatName(name)}/${role}`
      const secondKey = secondKeys.get(role)
      cosigners.push({ keyName, key: keys.get(role)!, secondKey, name, role, chains })
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
