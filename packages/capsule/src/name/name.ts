/**
 * The text form of names and branches: a CIDv1 with one spelling.
 *
 *     'b' base32( 01      71        12        20        hash )
 *          CIDv1 dag-cbor  sha2-256  32 bytes  32 bytes
 *
 * 58 characters of base32 carry two bits more than 36 bytes, so four spellings would decode
 * alike; all but one are refused, and so are upper case, other bases and CIDv0. Everything that
 * is signed or compared is built from the bytes. Rules NM1 to NM6 of docs/spec/name.md.
 *
 * @module
 */
import { formatBase32, parseBase32 } from '../bytes/base32.ts'
import { type BranchId, type CapsuleName, MAIN_BRANCH } from '../bytes/brands.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { UsageError } from '../errors.ts'
import { BRANCH_TEXT_CHARS, NAME_TEXT_CHARS } from '../limits.ts'

const CID_PREFIX: Uint8Array = new Uint8Array([0x01, 0x71, 0x12, 0x20])
const BASE32_MARK = 'b'
const ORIGIN_PREFIX = 'longshore/'

/** 59 characters, beginning with `bafyrei`. */
export function formatName(name: CapsuleName): string {
  return BASE32_MARK + formatBase32(concatBytes(CID_PREFIX, name))
}

/** @throws {UsageError} `NAME_INVALID` for anything but the one spelling of a name. */
export function parseName(text: string): CapsuleName {
  if (text.length !== NAME_TEXT_CHARS) {
    const message = `a capsule name has 59 characters, this one has ${text.length}`
    throw new UsageError('NAME_INVALID', message, { characters: text.length })
  }
  if (!text.startsWith(BASE32_MARK)) {
    throw new UsageError('NAME_INVALID', 'a capsule name begins with bafyrei')
  }
  const cid = parseBase32(text.slice(1))
  if (cid === undefined) {
    throw new UsageError('NAME_INVALID', 'the text is not the canonical spelling of a name')
  }
  if (!CID_PREFIX.every((byte, i) => cid[i] === byte)) {
    throw new UsageError('NAME_INVALID', 'this CID does not name a capsule')
  }
  return cid.slice(CID_PREFIX.length) as CapsuleName
}

/** 26 characters; the empty text for the main branch. */
export function formatBranch(branch: BranchId): string {
  return formatBase32(branch)
}

/** @throws {UsageError} `NAME_INVALID` for anything but the one spelling of a branch id. */
export function parseBranch(text: string): BranchId {
  if (text === '') return MAIN_BRANCH
  const branch = text.length === BRANCH_TEXT_CHARS ? parseBase32(text) : undefined
  if (branch === undefined) {
    throw new UsageError('NAME_INVALID', 'a branch is 26 lower-case base32 characters')
  }
  return branch as BranchId
}

/** First line of a checkpoint: `longshore/<name>`, and `/<branch>` unless it is the main branch. */
export function formatOrigin(name: CapsuleName, branch: BranchId): string {
  const origin = ORIGIN_PREFIX + formatName(name)
  return branch.length === 0 ? origin : `${origin}/${formatBranch(branch)}`
}

/** @throws {UsageError} `NAME_INVALID` unless `origin` is what `formatOrigin` would give. */
export function parseOrigin(origin: string): { name: CapsuleName; branch: BranchId } {
  const [prefix, name, branch, more] = origin.split('/', 4)
  if (`${prefix}/` !== ORIGIN_PREFIX || name === undefined || branch === '' || more !== undefined) {
    throw new UsageError('NAME_INVALID', 'the text is not the origin of a capsule')
  }
  return { name: parseName(name), branch: parseBranch(branch ?? '') }
}

/** Key name of a node's cosignatures (F1): `longshore/<node>/mirror` or `…/witness`. */
export function formatCosignerName(node: CapsuleName, role: 'mirror' | 'witness'): string {
  return `${ORIGIN_PREFIX}${formatName(node)}/${role}`
}
