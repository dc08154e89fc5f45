/**
 * Longshore in Node: homes on disk.
 *
 * @module
 */
export type {
  Ack,
  AppendOptions,
  Capsule,
  Entry,
  ExportReport,
  Level,
  ReadOptions,
  VerifyReport,
} from '../../capsule.ts'
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
} from '../../home.ts'
export type {
  Behind,
  Grant,
  GrantOptions,
  HomeNetwork,
  MirrorInfo,
  MirrorStatus,
  PullReport,
  PushOptions,
  PushReport,
  RemoteOptions,
  StatusReport,
  TraceReport,
} from '../../network/home-network.ts'
export type { Network } from '../../network/network.ts'
export type { Transaction, TransactionSource } from '../../write-driver.ts'
export { AnchorDirectory } from './anchor-directory.ts'
export { EvidenceFiles } from './evidence-files.ts'
export { fileUnreadable, fileUnwritable } from './file-error.ts'
export { type HeldHome, type HeldHomeOptions, holdHome } from './held-home.ts'
export { openHome } from './home.ts'
export { LmdbIndex } from './lmdb-index.ts'
export { NodeDisk, readRegularFile, syncOffThread } from './node-disk.ts'
export { type NodeNetworkOptions, openNodeNetwork } from './node-network.ts'
export { createNodeRuntime } from './node-runtime.ts'
export { restoreHome } from './restore.ts'
export { verifyDirectory } from './verify-directory.ts'
