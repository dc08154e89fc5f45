/**
 * An error that a peer answered with, as an error of this process.
 *
 * @module
 */
import {
  createError,
  ERROR_CODES,
  type ErrorCode,
  type LongshoreError,
  ProtocolError,
} from '@longshore/capsule'
import type { MessageOf } from './messages.ts'

/** A code that is not known, becomes `PROTOCOL_ERROR`, with the code in the text. */
export function peerError({ code, text }: MessageOf<'error'>): LongshoreError {
  const message = `the other side says: ${printable(text)}`
  if (!Object.hasOwn(ERROR_CODES, code)) {
    return new ProtocolError('PROTOCOL_ERROR', `${message} (${code})`)
  }
  return createError(code as ErrorCode, message)
}

/** It is shown on terminals: nothing but printable characters. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')
}
