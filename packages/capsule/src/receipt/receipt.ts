/**
 * Receipts: one entry, and everything that a stranger needs to verify it offline.
 *
 * Part of the trusted base. A receipt is a C2SP tlog-proof whose extra brings the signed manifest,
 * the header and, if it is small, the payload. It shows that the entry is in the history that the
 * writer named in the manifest signed. It says nothing about who that writer is: a reader who did
 * not expect this name learns only that the file is consistent with it. Rules RC1-RC12 of
 * docs/spec/receipt.md; decision F25.
 *
 * @module
 */
import type { BranchId, CapsuleName, Hash } from '../bytes/brands.ts'
import { compareBytes } from '../bytes/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.ts'
import { formatCheckpoint, openCheckpoint } from '../checkpoint/checkpoint.ts'
import type { Head } from '../checkpoint/head.ts'
import { type Heartbeat, heartbeatLines } from '../checkpoint/heartbeat.ts'
import type { NoteSignature } from '../checkpoint/note.ts'
import {
  NOTE_COSIGNATURE,
  NOTE_COSIGNATURE_ML_DSA_44,
  type NoteKey,
} from '../checkpoint/note-key.ts'
import type { VerifiedSignature } from '../checkpoint/verify-note.ts'
import { type RoleKey, signatureMissing } from '../crypto/role-key.ts'
import { openBody } from '../entry/body.ts'
import { decodeHeader } from '../entry/header.ts'
import type { Header } from '../entry/header-form.ts'
import { checkHeaderPosition } from '../entry/header-position.ts'
import { VerificationError } from '../errors.ts'
import { RECEIPT_BODY_BYTES_MAX, RECEIPT_BYTES_MAX } from '../limits.ts'
import { type Manifest, manifestKey, openManifest } from '../manifest/manifest.ts'
import { formatCosignerName } from '../name/name.ts'
import { verifyInclusion } from '../proof/verify-inclusion.ts'
import { hashLeaf } from '../tree/hash.ts'
import {
  decodeReceiptExtra,
  encodeReceiptExtra,
  type ReceiptCosigner,
  type ReceiptExtra,
} from './receipt-extra.ts'
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
  /** Lines by others on the checkpoint. */
  readonly cosignatures?: readonly NoteSignature[]
  /** Who they are, sorted by name. */
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
  readonly role: 'mirror' | 'witness'
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
  /** Not evidence of any level: version 1 has no certificates that could make them count. */
  readonly unverifiedCosigners: readonly UnverifiedCosigner[]
}

/**
 * Makes a receipt, and verifies it before it goes out.
 *
 * @throws {VerificationError} what `verifyReceipt` throws, if the parts do not belong together.
 */
export function createReceipt(parts: ReceiptParts): string {
  const { manifest, header, body, index, head, path, writerKey } = parts
  const { name } = openManifest(manifest)
  const lines = [...(parts.cosignatures ?? [])]
  if (parts.heartbeat !== undefined) {
    lines.unshift(...heartbeatLines(name, head.branch, parts.heartbeat, writerKey))
  }
  const isBodyCarried = body !== undefined && body.length <= RECEIPT_BODY_BYTES_MAX
  const extra = encodeReceiptExtra({
    manifest,
    header,
    payload: isBodyCarried ? body : undefined,
    certs: [],
    cosigners: parts.cosigners ?? [],
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

  const { name, manifest } = openManifest(extra.manifest, expected.name)
  if (manifest.type !== 'capsule') throw invalid('the manifest is not that of a capsule')
  const cosigners = readCosigners(extra)
  const opened = openCheckpoint(checkpoint, {
    writerKey: manifestKey(manifest, 'writer'),
    name,
    cosigners: cosigners.flatMap(({ keys }) => keys),
  })

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
    unverifiedCosigners: cosigners.flatMap((cosigner) => identify(cosigner, opened.cosignatures)),
  }
}

interface CosignerKeys {
  readonly name: CapsuleName
  readonly role: 'mirror' | 'witness'
  /** One, or two that count together only. */
  readonly keys: readonly NoteKey[]
}

/** The keys of the nodes in the extra, under the names that they cosign with (F1). */
function readCosigners({ cosigners }: ReceiptExtra): CosignerKeys[] {
  const keys: CosignerKeys[] = []
  let previous: CapsuleName | undefined
  for (const cosigner of cosigners) {
    const { name, manifest } = openManifest(cosigner.manifest)
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
      keys.push({ name, role, keys: [first, ...second] })
    }
  }
  return keys
}

/** What a cosigner stated, if it did: the newest signatures of all its keys are of one time. */
function identify(
  { name, role, keys }: CosignerKeys,
  cosignatures: readonly VerifiedSignature[],
): UnverifiedCosigner[] {
  const times = keys.map((key) => cosignatures.find((signed) => signed.key === key)?.timeS)
  const [timeS] = times
  if (times.some((other) => other !== timeS)) {
    throw signatureMissing(`one of the two halves of a cosignature by a ${role}`)
  }
  return timeS === undefined ? [] : [{ name, role, timeS }]
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
