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
export { openHome } from './home.ts'
export { restoreHome } from './restore.ts'
export { verifyDirectory } from './verify-directory.ts'
