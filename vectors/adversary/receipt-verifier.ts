/**
 * A receipt verifier put together from exchangeable parts, so that a wrong part can be planted.
 *
 * With the sound parts it is as strict as it needs to be to never believe a lie; with a planted
 * part the adversary suite must catch it. It is not the product's verifier: that one is tested
 * with the same mutants.
 *
 * @module
 */
import {
  asHash,
  type CborMap,
  type CborValue,
  checkHeaderPosition,
  decodeCbor,
  decodeHeader,
  decodeWriterCert,
  formatName,
  type Hash,
  type Header,
  hashLeaf,
  hashNode,
  MAIN_BRANCH,
  manifestKey,
  openBody,
  openCheckpoint,
  openManifest,
  parseBase64,
  parseNote,
  parseOrigin,
  type SignedManifest,
  VerificationError,
  type VerifiedReceipt,
  verifyInclusion,
  verifyReceipt,
  verifyWriterChain,
  type WriterKeyInForce,
} from '@longshore/capsule'
import { hexOf } from '../read-vectors.ts'
import type { Statement } from './attack.ts'

/** The checks that can be exchanged. */
export interface ReceiptChecks {
  readonly verifyInclusion: typeof verifyInclusion
  readonly openCheckpoint: (
    note: string,
    expected: Parameters<typeof openCheckpoint>[1],
  ) => Pick<ReturnType<typeof openCheckpoint>, 'head' | 'heartbeatS'>
  readonly openBody: typeof openBody
}

export const SOUND_CHECKS: ReceiptChecks = { verifyInclusion, openCheckpoint, openBody }

type Proven = Pick<
  VerifiedReceipt,
  'name' | 'owner' | 'branch' | 'index' | 'headerBytes' | 'payload' | 'heartbeatS'
> & { readonly head: VerifiedReceipt['head'] }

/** What a verified receipt says, as text. */
function receiptStatement(proven: Proven, cosigners: readonly string[]): Statement {
  const { name, owner, branch, index, head, headerBytes, payload, heartbeatS } = proven
  const says = JSON.stringify({
    name: formatName(name),
    owner: hexOf(owner.ed25519),
    branch: hexOf(branch),
    index,
    size: head.size,
    root: hexOf(head.root),
    header: hexOf(headerBytes),
  })
  const extras = [...cosigners]
  if (payload !== undefined) extras.push(`payload ${hexOf(payload)}`)
  if (heartbeatS !== undefined) extras.push(`heartbeat ${heartbeatS}`)
  return { says, extras }
}

/** What the product's verifier reads. */
export function readReceipt(receipt: Uint8Array): Statement {
  const proven = verifyReceipt(receipt)
  const cosigners = proven.unverifiedCosigners.map(({ name, role, timeS }) => {
    return `${role} ${formatName(name)} ${timeS}`
  })
  // A mirror that counts says more than one that only cosigned, and each of its domains more yet.
  for (const { name, domains, timeS } of proven.mirrors) {
    const signed = `mirror ${formatName(name)} ${timeS}`
    cosigners.push(signed, `${signed} counts`)
    for (const domain of domains) cosigners.push(`${signed} in ${formatName(domain)}`)
  }
  return receiptStatement(proven, cosigners)
}

/** A verifier of receipts that relies on `checks`. */
export function composeReceiptVerifier(checks: ReceiptChecks): (receipt: Uint8Array) => Statement {
  return (receipt) => {
    const { extra, index, path, checkpoint } = splitReceipt(receipt)
    const capsule = openManifest(bytesIn(extra, 'manifest'))
    const { name, manifest } = capsule
    const { epoch, writerKey } = writerInForce(extra, capsule)
    const { head, heartbeatS } = checks.openCheckpoint(checkpoint, { name, writerKey, epoch })
    const headerBytes = bytesIn(extra, 'header')
    const header: Header = decodeHeader(headerBytes)
    checkHeaderPosition(header, head.branch, index)
    checks.verifyInclusion(hashLeaf(headerBytes), { index, size: head.size, path }, head.root)
    const body = extra.get('payload')
    const payload = body instanceof Uint8Array ? checks.openBody(header, body) : undefined
    const owner = manifestKey(manifest, 'owner')
    const { branch } = head
    const proven = { name, owner, branch, index, head, headerBytes, payload, heartbeatS }
    return receiptStatement(proven, [])
  }
}

function writerInForce(
  extra: CborMap,
  capsule: SignedManifest,
): Pick<WriterKeyInForce, 'epoch' | 'writerKey'> {
  const items = extra.get('certs')
  if (!Array.isArray(items)) refuse('no certs')
  const certs = items.map((item) => (item instanceof Uint8Array ? item : refuse('no cert')))
  const [first] = certs
  const branch = first === undefined ? MAIN_BRANCH : decodeWriterCert(first).end.branch
  return verifyWriterChain(certs, capsule, branch)
}

function refuse(reason: string): never {
  throw new VerificationError('RECEIPT_INVALID', reason)
}

function bytesIn(map: CborMap, key: string): Uint8Array {
  const value: CborValue | undefined = map.get(key)
  return value instanceof Uint8Array ? value : refuse(`no ${key}`)
}

function splitReceipt(receipt: Uint8Array): {
  extra: CborMap
  index: number
  path: Hash[]
  checkpoint: string
} {
  const text = Buffer.from(receipt).toString('utf8')
  const end = text.indexOf('\n\n')
  const [first, extraLine = '', indexLine = '', ...lines] = text.slice(0, end).split('\n')
  if (end < 0 || first !== 'c2sp.org/tlog-proof@v1') refuse('no proof')
  const extra = decodeCbor(parseBase64(extraLine.slice('extra '.length)) ?? refuse('no extra'))
  if (!(extra instanceof Map) || !/^index [0-9]{1,15}$/.test(indexLine)) refuse('no index')
  const path = lines.map((line) => {
    const hash = parseBase64(line)
    return hash?.length === 32 ? asHash(hash) : refuse('no hash')
  })
  const index = Number(indexLine.slice('index '.length))
  return { extra, index, path, checkpoint: text.slice(end + 2) }
}

/** Planted: the sibling may stand on either side, whatever the index says. */
const verifyInclusionWithoutParity: typeof verifyInclusion = (
  leafHash,
  { index, size, path },
  root,
) => {
  if (index >= size || path.length > 8) throw new VerificationError('PROOF_SHAPE', 'no path')
  let reached = [leafHash]
  for (const sibling of path) {
    reached = reached.flatMap((hash) => [hashNode(hash, sibling), hashNode(sibling, hash)])
  }
  if (reached.some((hash) => hexOf(hash) === hexOf(root))) return
  throw new VerificationError('ROOT_MISMATCH', 'another root')
}

/** Planted: whatever capsule and branch the first line names, the signature is what counts. */
const openCheckpointWithoutOrigin: ReceiptChecks['openCheckpoint'] = (note, expected) => {
  const { text } = parseNote(note)
  const own = parseOrigin(text.slice(0, text.indexOf('\n')))
  const { writerKey, epoch = 0 } = expected
  return openCheckpoint(note, { writerKey, epoch, ...own })
}

/** Planted: only the size of the payload is compared. */
const openBodyWithoutHash: typeof openBody = (header, body) => {
  const saltBytes = header.kind === 1 ? 16 : 0
  if (body.length === header.payloadBytes + saltBytes) return body.subarray(saltBytes)
  throw new VerificationError('PAYLOAD_MISMATCH', 'another size')
}

/** Mistakes that a verifier could make, each with the part that makes it. */
export const PLANTED_BUGS: readonly (readonly [name: string, checks: ReceiptChecks])[] = [
  ['the parity of the index', { ...SOUND_CHECKS, verifyInclusion: verifyInclusionWithoutParity }],
  [
    'the origin of the checkpoint',
    { ...SOUND_CHECKS, openCheckpoint: openCheckpointWithoutOrigin },
  ],
  ['the hash of the payload', { ...SOUND_CHECKS, openBody: openBodyWithoutHash }],
]
