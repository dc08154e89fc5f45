/**
 * The client's own decoders of bytes from outside, for those who attack them: fuzzers and tests.
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
