/**
 * Receipts: one entry, and everything that a stranger needs to verify it offline.
 *
 * Part of the trusted base. A receipt is a C2SP tlog-proof whose extra brings the signed manifest,
 * the header and, if it is small, the payload. It shows that the entry is in the history that the
 * writer named in the manifest signed, and which mirrors hold it. It says nothing about who that
 * writer is: a reader who did not expect this name learns only that the file is consistent with
 * it. Rules RC1-RC14 of docs/spec/receipt.md; decision F25.
 *
 * @module
 */
import type { BranchId, CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.ts'
import { decodeWriterCert, verifyWriterChain } from '../cert/writer-cert.ts'
import {
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
} from '../checkpoint/checkpoint.ts'
import type { Head } from '../checkpoint/head.ts'
import { type Heartbeat, heartbeatLines } from '../checkpoint/heartbeat.ts'
import type { CosignerRole } from '../checkpoint/node-cosignature.ts'
import type { NoteSignature } from '../checkpoint/note.ts'
import {
  NOTE_COSIGNATURE,
  NOTE_COSIGNATURE_ML_DSA_44,
  type NoteKey,
} from '../checkpoint/note-key.ts'
import type { VerifiedSignature } from '../checkpoint/verify-note.ts'
import { type RoleKey, roleKeyHalves, signatureMissing } from '../crypto/role-key.ts'
import { openBody } from '../entry/body.ts'
import { decodeHeader } from '../entry/header.ts'
import type { Header } from '../entry/header-form.ts'
import { checkHeaderPosition } from '../entry/header-position.ts'
import { VerificationError } from '../errors.ts'
import { RECEIPT_BODY_BYTES_MAX, RECEIPT_BYTES_MAX } from '../limits.ts'
import {
  type Manifest,
  manifestKey,
  openManifest,
  type SignedManifest,
} from '../manifest/manifest.ts'
import { formatCosignerName } from '../name/name.ts'
import { verifyInclusion } from '../proof/verify-inclusion.ts'
import { hashLeaf } from '../tree/hash.ts'
import {
  decodeReceiptExtra,
  encodeReceiptExtra,
  type ReceiptCosigner,
  type ReceiptExtra,
} from './receipt-extra.ts'
import {
  judgeMirror,
  type LeftOut,
  levelOf,
  type MirrorCosignature,
  mirrorParts,
  type ReceiptLevel,
  type VerifiedMirror,
} from './receipt-mirrors.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'

export interface ReceiptParts {
  /** Signed manifest of the capsule. */
  readonly manifest: Uint8Array
  /** Exact bytes of the header at `index`. */
  readonly header: Uint8Array
  /** What is stored of the payload, salt included. Left out of the receipt above 64 KiB. */
  readonly body?: Uint8Array
  readonly index: number
  readonly head: Head
  /** Inclusion path of `index` in the tree of the head. */
  readonly path: readonly Hash[]
  readonly writerKey: RoleKey
  readonly heartbeat?: Heartbeat
  /** Changes of the writer key up to the epoch of the head, the first one first. */
  readonly writerCerts?: readonly Uint8Array[]
  /** Those who hold the head durably, in any order. */
  readonly mirrors?: readonly MirrorCosignature[]
  /** Lines by others on the checkpoint. */
  readonly cosignatures?: readonly NoteSignature[]
  /** Who they are; none of `mirrors`. */
  readonly cosigners?: readonly ReceiptCosigner[]
}

export interface ReceiptExpectation {
  /** Refuse the receipt of another capsule. Without it, nothing ties the receipt to anybody. */
  readonly name?: CapsuleName
}

/** A node whose cosignature is on the checkpoint, but whose right to count is not shown. */
export interface UnverifiedCosigner {
  /** Name of the node. */
  readonly name: CapsuleName
  readonly role: CosignerRole
  /** When it signed, seconds since 1970. */
  readonly timeS: number
}

/** What a receipt proves. */
export interface VerifiedReceipt {
  readonly name: CapsuleName
  /** The keys that signed the manifest. */
  readonly owner: RoleKey
  readonly manifest: Manifest
  readonly branch: BranchId
  readonly index: number
  readonly head: Head
  readonly header: Header
  readonly headerBytes: Uint8Array
  /** Undefined if the receipt does not carry it. */
  readonly payload: Uint8Array | undefined
  /** Newest time at which the writer stated this head, seconds since 1970; if it did. */
  readonly heartbeatS: number | undefined
  /** Mirrors that count: their chains lead to the owner, and the policy lets them hold copies. */
  readonly mirrors: readonly VerifiedMirror[]
  readonly level: ReceiptLevel
  /** Not evidence of any level: witnesses, and mirrors whose right to count is not shown. */
  readonly unverifiedCosigners: readonly UnverifiedCosigner[]
  /** What in the receipt does not hold, and why; nothing else depends on it. */
  readonly leftOut: readonly LeftOut[]
}

/**
 * Makes a receipt, and verifies it before it goes out.
 *
 * @throws {VerificationError} what `verifyReceipt` throws, if the parts do not belong together.
 */
export function createReceipt(parts: ReceiptParts): string {
  const { manifest, header, body, index, head, path, writerKey } = parts
  const { name } = openManifest(manifest)
  const mirrors = (parts.mirrors ?? []).map(mirrorParts)
  const lines = [...mirrors.map(({ line }) => line), ...(parts.cosignatures ?? [])]
  if (parts.heartbeat !== undefined) {
    lines.unshift(...heartbeatLines(name, head.branch, parts.heartbeat, writerKey))
  }
  const others = parts.cosigners ?? []
  const isBodyCarried = body !== undefined && body.length <= RECEIPT_BODY_BYTES_MAX
  const extra = encodeReceiptExtra({
    manifest,
    header,
    payload: isBodyCarried ? body : undefined,
    certs: parts.writerCerts ?? [],
    cosigners: sortedByName([...mirrors.map(({ cosigner }) => cosigner), ...others]),
  })
  const checkpoint = formatCheckpoint(name, head, writerKey, lines)
  const receipt = formatTlogProof({ extra, index, path, checkpoint })
  verifyReceipt(receipt, { name })
  return receipt
}

/**
 * Verifies a receipt and returns what it proves.
 *
 * Give the expected name where you know it: a forger can make a capsule of its own and a receipt
 * that verifies under that name.
 *
 * @throws {VerificationError} `RECEIPT_INVALID` for a file that is not exactly a receipt;
 * `NAME_MISMATCH` for another capsule; otherwise the code of the part that does not hold.
 */
export function verifyReceipt(
  receipt: Uint8Array | string,
  expected: ReceiptExpectation = {},
): VerifiedReceipt {
  const { extra: extraBytes, index, path, checkpoint } = parseTlogProof(readText(receipt))
  if (extraBytes === undefined) throw invalid('a receipt has an extra')
  const extra = decodeReceiptExtra(extraBytes)

  const capsule = openManifest(extra.manifest, expected.name)
  const { name, manifest } = capsule
  if (manifest.type !== 'capsule') throw invalid('the manifest is not that of a capsule')
  const cosigners = readCosigners(extra)
  const { opened, writerKey } = openHead(capsule, extra.certs, checkpoint, cosigners)
  const { head } = opened
  const header = decodeHeader(extra.header)
  checkHeaderPosition(header, head.branch, index)
  verifyInclusion(hashLeaf(extra.header), { index, size: head.size, path }, head.root)
  return {
    name,
    owner: manifestKey(manifest, 'owner'),
    manifest,
    branch: head.branch,
    index,
    head,
    header,
    headerBytes: extra.header,
    payload: extra.payload === undefined ? undefined : openBody(header, extra.payload),
    heartbeatS: opened.heartbeatS,
    ...judgeCosigners(capsule, writerKey, opened.cosignatures, cosigners),
  }
}

/** The checkpoint, signed by the writer key that is in force after the changes in `certs`. */
function openHead(
  capsule: SignedManifest,
  certs: readonly Uint8Array[],
  checkpoint: string,
  cosigners: readonly CosignerKeys[],
): { readonly opened: OpenedCheckpoint; readonly writerKey: RoleKey } {
  const expected = { name: capsule.name, cosigners: cosigners.flatMap(({ keys }) => keys) }
  const [first] = certs
  if (first === undefined) {
    const writerKey = manifestKey(capsule.manifest, 'writer')
    return { opened: openCheckpoint(checkpoint, { ...expected, writerKey }), writerKey }
  }
  const { branch } = decodeWriterCert(first).end
  const { epoch, writerKey, sizeMin } = verifyWriterChain(certs, capsule, branch)
  const opened = openCheckpoint(checkpoint, { ...expected, branch, epoch, writerKey })
  if (opened.head.size < sizeMin) throw invalid('the head is older than the key that signed it')
  return { opened, writerKey }
}

interface CosignerKeys {
  readonly node: SignedManifest
  readonly certs: readonly Uint8Array[]
  readonly role: CosignerRole
  /** One, or two that count together only. */
  readonly keys: readonly NoteKey[]
}

/** The keys of the nodes in the extra, under the names that they cosign with (F1). */
function readCosigners({ cosigners }: ReceiptExtra): CosignerKeys[] {
  const keys: CosignerKeys[] = []
  let previous: CapsuleName | undefined
  for (const cosigner of cosigners) {
    const node = openManifest(cosigner.manifest)
    const { name, manifest } = node
    if (manifest.type !== 'node') throw invalid('a cosigner that is not a node')
    if (previous !== undefined && compareBytes(previous, name) >= 0) {
      throw invalid('cosigners are not sorted by name')
    }
    previous = name
    for (const role of ['mirror', 'witness'] as const) {
      const { ed25519, mlDsa44 } = manifestKey(manifest, role)
      const keyName = formatCosignerName(name, role)
      const first: NoteKey = { name: keyName, type: NOTE_COSIGNATURE, key: ed25519 }
      const type = NOTE_COSIGNATURE_ML_DSA_44
      const second: NoteKey[] = mlDsa44 === undefined ? [] : [{ name: keyName, type, key: mlDsa44 }]
      keys.push({ node, certs: cosigner.certs, role, keys: [first, ...second] })
    }
  }
  return keys
}

/**
 * Who counts, and who only signed. A key counts once, whatever the names of its nodes, and not for
 * a mirror if it is the owner's or writer's: a heartbeat covers the same bytes as a cosignature.
 */
function judgeCosigners(
  capsule: SignedManifest,
  writerKey: RoleKey,
  cosignatures: readonly VerifiedSignature[],
  cosigners: readonly CosignerKeys[],
): Pick<VerifiedReceipt, 'mirrors' | 'level' | 'unverifiedCosigners' | 'leftOut'> {
  const mirrors: VerifiedMirror[] = []
  const unverifiedCosigners: UnverifiedCosigner[] = []
  const leftOut: LeftOut[] = []
  const counted: Uint8Array[] = capsule.manifest.keys.map(({ key }) => key)
  counted.push(...roleKeyHalves(writerKey))
  for (const { node, role, certs, keys } of cosigners) {
    const timeS = statedAt(role, keys, cosignatures)
    if (timeS === undefined) continue
    const { name } = node
    const isCounted = keys.some(({ key }) => counted.some((other) => bytesEqual(other, key)))
    const judged =
      role === 'mirror' && !isCounted ? judgeMirror(capsule, node, certs, timeS) : undefined
    leftOut.push(...(judged?.leftOut ?? []))
    if (role === 'mirror' && isCounted) leftOut.push({ name, part: 'mirror', error: countedKey() })
    if (judged?.mirror === undefined) {
      unverifiedCosigners.push({ name, role, timeS })
    } else {
      mirrors.push(judged.mirror)
      counted.push(...keys.map(({ key }) => key))
    }
  }
  leftOut.push(...silentMirrors(cosignatures, cosigners))
  return { mirrors, level: levelOf(mirrors), unverifiedCosigners, leftOut }
}

function countedKey(): VerificationError {
  const message = 'its mirror key is one of the capsule, or has counted already'
  return new VerificationError('BAD_KEY', message)
}

/** Nodes that brought chains as mirrors do, and have signed nothing: a line was taken away. */
function silentMirrors(
  cosignatures: readonly VerifiedSignature[],
  cosigners: readonly CosignerKeys[],
): LeftOut[] {
  const signed = new Set(
    cosigners
      .filter(({ keys }) => cosignatures.some(({ key }) => keys.includes(key)))
      .map(({ node }) => node),
  )
  return cosigners
    .filter(({ role, certs, node }) => role === 'mirror' && certs.length > 0 && !signed.has(node))
    .map(({ node: { name } }) => {
      const message = 'its cosignature is not on the checkpoint'
      return { name, part: 'mirror', error: new VerificationError('SIGNATURE_MISSING', message) }
    })
}

/** When it was stated, if it was: the newest signatures by all its keys are of one time. */
function statedAt(
  role: CosignerRole,
  keys: readonly NoteKey[],
  cosignatures: readonly VerifiedSignature[],
): number | undefined {
  const times = keys.map((key) => cosignatures.find((signed) => signed.key === key)?.timeS)
  const [timeS] = times
  if (times.every((other) => other === timeS)) return timeS
  throw signatureMissing(`one of the two halves of a cosignature by a ${role}`)
}

/** @throws {VerificationError} the codes of `openManifest`. */
function sortedByName(cosigners: readonly ReceiptCosigner[]): readonly ReceiptCosigner[] {
  return cosigners
    .map((cosigner) => ({ cosigner, name: openManifest(cosigner.manifest).name }))
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ cosigner }) => cosigner)
}

/** The text of a receipt, if it is short enough to be one. */
function readText(receipt: Uint8Array | string): string {
  if (receipt.length > RECEIPT_BYTES_MAX) throw invalid('too long')
  const text = typeof receipt === 'string' ? receipt : decodeUtf8(receipt)
  if (text === undefined || !text.isWellFormed()) throw invalid('not UTF-8')
  if (typeof receipt === 'string' && encodeUtf8(text).length > RECEIPT_BYTES_MAX) {
    throw invalid('too long')
  }
  return text
}

function invalid(what: string): VerificationError {
  return new VerificationError('RECEIPT_INVALID', `not a receipt: ${what}`)
}
