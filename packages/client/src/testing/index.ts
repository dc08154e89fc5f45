/**
 * For tests and fuzzers of other packages: the client's own decoders of bytes from outside, and its
 * write driver with an event loop that a test turns by hand.
 *
 * Nothing here is for applications.
 *
 * @module
 */
export { decodeError, encodeError } from '../forward/error-message.ts'
export { Fields } from '../forward/fields.ts'
export { encodeFrame, FrameReader } from '../forward/frame.ts'
export { OPERATIONS } from '../forward/requests.ts'
export {
  BACKUP_PREFIX_BYTES,
  decodeBackupList,
  decodeBackupPrefix,
  encodeBackupList,
} from '../platform/node/backup-format.ts'
export { WriteDriver } from '../write-driver.ts'
export { flushMicrotasks, ManualLoop } from './memory-home.ts'
