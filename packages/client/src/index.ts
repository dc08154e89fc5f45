/**
 * What an application needs of Longshore wherever it runs, browsers included: the types of the
 * client, and everything that verifies. Homes are opened with `@longshore/client/node`.
 *
 * @module
 */
export {
  type CapsuleName,
  ERROR_CODES,
  type ErrorCode,
  formatName,
  type Hash,
  type Head,
  type Header,
  isLongshoreError,
  type LongshoreError,
  type Manifest,
  openCheckpoint,
  openManifest,
  type Pointer,
  ProtocolError,
  parseName,
  UnavailableError,
  UsageError,
  VerificationError,
  type VerifiedReceipt,
  verifyConsistency,
  verifyEquivocation,
  verifyInclusion,
  verifyReceipt,
} from '@longshore/capsule'
export type {
  Ack,
  AppendOptions,
  Capsule,
  Entry,
  ExportReport,
  Level,
  ReadOptions,
  VerifyReport,
} from './capsule.ts'
export type {
  BackupReport,
  CapsuleInfo,
  CompactReport,
  CreateOptions,
  FsckProblem,
  FsckReport,
  Home,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
  OpenHomeOptions,
  RestoreReport,
  UsageReport,
} from './home.ts'
