/**
 * Bytes you can trust: names, manifests, entries, trees, checkpoints, proofs, certificates and
 * receipts.
 *
 * Everything here is synchronous and pure: no clock, no randomness, no input or output. It runs
 * unchanged in Node and in browsers. Functions that check evidence throw; none returns a boolean.
 *
 * @module
 */
export {
  AssertionFailure,
  assert,
} from './assert.ts'
export {
  formatBase32,
  parseBase32,
} from './bytes/base32.ts'
export {
  formatBase64,
  parseBase64,
} from './bytes/base64.ts'
export {
  asBranchId,
  asCapsuleName,
  asHash,
  asMlDsa44PublicKey,
  asMlDsa44Signature,
  asPublicKey,
  asSignature,
  type BranchId,
  type CapsuleName,
  type Hash,
  MAIN_BRANCH,
  type MlDsa44PublicKey,
  type MlDsa44Signature,
  type PublicKey,
  type Signature,
} from './bytes/brands.ts'
export {
  bytesEqual,
  compareBytes,
  concatBytes,
  copyBytes,
} from './bytes/bytes.ts'
export {
  formatHex,
  parseHex,
} from './bytes/hex.ts'
export {
  decodeUtf8,
  encodeUtf8,
} from './bytes/utf8.ts'
export {
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
} from './cbor/cbor.ts'
export {
  checkAscending,
  type Fail,
  readArray,
  readBoolean,
  readBytes,
  readInteger,
  readText,
  readTuple,
} from './cbor/read-value.ts'
export {
  type AdCertBody,
  type AdRight,
  decodeAdCert,
  signAdCert,
} from './cert/ad-cert.ts'
export {
  type Advertisement,
  type AdvertisementExpectation,
  advertisedNamesDigest,
  signAdvertisement,
  verifyAdvertisement,
} from './cert/advertisement.ts'
export {
  type CertChain,
  decodeCertChain,
  encodeCertChain,
} from './cert/cert-chain.ts'
export {
  type CertTerms,
  certHash,
} from './cert/cert-terms.ts'
export {
  decodeErasureCert,
  type ErasureCertBody,
  signErasureCert,
  verifyErasureCert,
} from './cert/erasure-cert.ts'
export {
  decodeMemberCert,
  type MemberCertBody,
  type MemberRight,
  signMemberCert,
} from './cert/member-cert.ts'
export type { NameList } from './cert/name-list.ts'
export { NEVER_S } from './cert/permanent-terms.ts'
export type { RevocationView } from './cert/revocation.ts'
export {
  decodeRtCert,
  type RtCertBody,
  signRtCert,
} from './cert/rt-cert.ts'
export {
  type AdChainExpectation,
  verifyAdChain,
} from './cert/verify-ad-chain.ts'
export type { VerifiedChain } from './cert/verify-links.ts'
export {
  type MemberChainExpectation,
  verifyMemberChain,
} from './cert/verify-member-chain.ts'
export {
  type RtChainExpectation,
  verifyRtChain,
} from './cert/verify-rt-chain.ts'
export {
  decodeWriterCert,
  signWriterCert,
  verifyWriterChain,
  type WriterCertBody,
  type WriterKeyInForce,
} from './cert/writer-cert.ts'
export {
  type CheckpointExpectation,
  type ForeignCheckpoint,
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
} from './checkpoint/checkpoint.ts'
export {
  type CheckpointText,
  formatCheckpointText,
  parseCheckpointText,
} from './checkpoint/checkpoint-text.ts'
export {
  type CosignedTree,
  subtreeLine,
  subtreeMessage,
  type TimestampedSignature,
} from './checkpoint/cosignature.ts'
export {
  decodeHead,
  encodeHead,
  type Head,
  headText,
  signHead,
  type UnsignedHead,
  verifyHead,
} from './checkpoint/head.ts'
export {
  createHeartbeat,
  type Heartbeat,
  type HeartbeatPosition,
  heartbeatLines,
  verifyHeartbeat,
} from './checkpoint/heartbeat.ts'
export {
  type Cosignature,
  type CosignerRole,
  cosignatureLine,
} from './checkpoint/node-cosignature.ts'
export {
  formatNote,
  type Note,
  type NoteSignature,
  parseNote,
} from './checkpoint/note.ts'
export {
  formatVkey,
  NOTE_COSIGNATURE,
  NOTE_COSIGNATURE_ML_DSA_44,
  NOTE_ED25519,
  type NoteKey,
  type NoteKeyType,
  parseVkey,
} from './checkpoint/note-key.ts'
export type { VerifiedNote, VerifiedSignature } from './checkpoint/verify-note.ts'
export {
  decodePublicKey,
  verifySignature,
} from './crypto/ed25519.ts'
export {
  decodeMlDsa44PublicKey,
  verifyMlDsa44,
} from './crypto/ml-dsa-44.ts'
export {
  asRoleKey,
  type RoleKey,
  roleKeysEqual,
} from './crypto/role-key.ts'
export {
  sha256,
  sha256Into,
  sha256Ranges,
} from './crypto/sha256.ts'
export {
  createSigner,
  type MlDsa44Signer,
  type Signer,
} from './crypto/signer.ts'
export { signingContextBytes } from './crypto/signing-contexts.ts'
export {
  bodyBytes,
  createBody,
  openBody,
} from './entry/body.ts'
export type {
  BranchStart,
  Control,
  ControlType,
  Erase,
  EraseRange,
  Merge,
  Recover,
  WriterChange,
} from './entry/control.ts'
export {
  decodeHeader,
  encodeHeader,
} from './entry/header.ts'
export {
  createControlHeader,
  type Header,
  type HeaderExtension,
  type HeaderKind,
  KIND_BLINDED,
  KIND_PLAIN,
  NO_EXTENSION,
  NO_POINTERS,
} from './entry/header-form.ts'
export { checkHeaderPosition } from './entry/header-position.ts'
export {
  type HotFields,
  hotHeaderBytes,
  isHotHeader,
  readHotHeader,
  writeHotHeader,
} from './entry/hot-header.ts'
export {
  EMPTY_HASH,
  type HeadPointer,
  type Pointer,
} from './entry/pointer.ts'
export {
  ERROR_CODES,
  type ErrorClass,
  type ErrorCode,
  type ErrorCodeInfo,
  type ProtocolCode,
  type UnavailableCode,
  type UsageCode,
  type VerificationCode,
} from './error-codes.ts'
export {
  createError,
  type ErrorDetails,
  isLongshoreError,
  type LongshoreError,
  ProtocolError,
  UnavailableError,
  UsageError,
  VerificationError,
} from './errors.ts'
export {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  BODY_BYTES_MAX,
  BRANCH_ID_BYTES,
  CERT_BYTES_MAX,
  CERT_SERIAL_BYTES,
  CHAIN_BYTES_MAX,
  CHAIN_CERTS_MAX,
  COMPACT_HEAD_BYTES_MAX,
  ERASE_RANGES_MAX,
  EVIDENCE_BYTES_MAX,
  HASH_BYTES,
  HEADER_BYTES_MAX,
  INTEGER_MAX,
  MANIFEST_SIGNED_BYTES_MAX,
  ML_DSA_44_SIGNATURE_BYTES,
  NONCE_BYTES,
  NOTE_BYTES_MAX,
  PACKAGE_BYTES_MAX,
  PACKAGE_ENTRIES_MAX,
  PACKAGE_HASHES_MAX,
  PATH_HASHES_MAX,
  PAYLOAD_BYTES_MAX,
  POLICY_COPIES_MAX,
  POLICY_NAMES_MAX,
  PUBLIC_KEY_BYTES,
  RECEIPT_BODY_BYTES_MAX,
  RECEIPT_BYTES_MAX,
  RECEIPT_COSIGNERS_MAX,
  SALT_BYTES,
  SEED_BYTES,
  SIGNATURE_BYTES,
  TICKET_ADDRESS_CHARS_MAX,
  TICKET_ADDRESSES_MAX,
  X25519_BYTES,
} from './limits.ts'
export {
  type CapsuleMode,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestKey,
  openManifest,
  type SignedManifest,
  signManifest,
} from './manifest/manifest.ts'
export {
  type JointKeyUse,
  type KeyUse,
  type ManifestKey,
  manifestKeysOf,
  type PrincipalType,
} from './manifest/manifest-keys.ts'
export {
  type DomainList,
  mayHold,
  type Policy,
} from './manifest/policy.ts'
export {
  formatBranch,
  formatName,
  formatOrigin,
  parseBranch,
  parseName,
  parseOrigin,
} from './name/name.ts'
export { prefixRoot } from './proof/prefix-root.ts'
export {
  type ProofSource,
  proveConsistency,
  proveInclusion,
  proveInconsistency,
  proveSubtree,
} from './proof/prove.ts'
export type { SubtreeRange } from './proof/subtree-path.ts'
export {
  type ConsistencyProof,
  verifyConsistency,
} from './proof/verify-consistency.ts'
export {
  type InclusionProof,
  verifyInclusion,
} from './proof/verify-inclusion.ts'
export {
  type SubtreeProof,
  verifySubtree,
} from './proof/verify-subtree.ts'
export {
  decodePackage,
  type EntryPackage,
  encodePackage,
  type PackageRange,
  type PackageTarget,
  packageAlignedStart,
  packageRanges,
  provePackage,
  type VerifiedPackage,
  verifyPackage,
} from './receipt/entry-package.ts'
export {
  createEquivocation,
  decodeEquivocation,
  type Equivocation,
  encodeEquivocation,
  type ProvenEquivocation,
  verifyEquivocation,
} from './receipt/evidence.ts'
export {
  createReceipt,
  type ReceiptExpectation,
  type ReceiptParts,
  type UnverifiedCosigner,
  type VerifiedReceipt,
  verifyReceipt,
} from './receipt/receipt.ts'
export type { ReceiptCosigner } from './receipt/receipt-extra.ts'
export type {
  LeftOut,
  MirrorCosignature,
  ReceiptLevel,
  VerifiedMirror,
} from './receipt/receipt-mirrors.ts'
export {
  formatMembership,
  type MembershipWord,
  parseMembership,
} from './ticket/membership.ts'
export {
  formatTicket,
  parseTicket,
  type Ticket,
} from './ticket/ticket.ts'
export {
  EMPTY_ROOT,
  hashLeaf,
  hashLeafInto,
  hashNode,
} from './tree/hash.ts'
export { RightEdge } from './tree/right-edge.ts'
export { rootFromTiles } from './tree/root-from-tiles.ts'
export { subtreeRoot } from './tree/subtree-root.ts'
export type {
  FullTile,
  TileSource,
} from './tree/tile.ts'
export {
  parseTilePath,
  type TileLevel,
  type TilePath,
  tilePath,
} from './tree/tile-path.ts'
export {
  TILES_PER_PROOF_MAX,
  TreeNodes,
} from './tree/tree-nodes.ts'
export {
  fullTileCount,
  TILE_WIDTH,
  tileWidth,
} from './tree/tree-shape.ts'
