/**
 * The four error classes, by who must act. Codes and advice are the table in `error-codes.ts`;
 * docs/spec/errors.md shows it (rules ER1 to ER5).
 *
 * Branch on `code`, never on `message`. Test with `isLongshoreError`, because `instanceof` fails
 * when two copies of the package are loaded.
 *
 * @module
 */
import {
  ERROR_CODES,
  type ErrorClass,
  type ErrorCode,
  type ProtocolCode,
  type UnavailableCode,
  type UsageCode,
  type VerificationCode,
} from './error-codes.ts'

export type ErrorDetails = Readonly<Record<string, string | number>>

export interface LongshoreError extends Error {
  readonly name: ErrorClass
  readonly code: ErrorCode
  /** Numbers and names that let an operator reproduce the failure. Never keys or payload. */
  readonly details: ErrorDetails
  /** What a person can do about it, one sentence. */
  readonly next: string
}

const NO_DETAILS: ErrorDetails = Object.freeze({})

abstract class CodedError<TCode extends ErrorCode> extends Error {
  readonly code: TCode
  readonly details: ErrorDetails

  constructor(code: TCode, message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details ?? NO_DETAILS
  }

  get next(): string {
    return ERROR_CODES[this.code].next
  }
}

/** Evidence did not check out: a peer, a store or the writer is wrong, not the caller. */
export class VerificationError extends CodedError<VerificationCode> {
  override readonly name = 'VerificationError'
}

/** A peer broke the protocol. */
export class ProtocolError extends CodedError<ProtocolCode> {
  override readonly name = 'ProtocolError'
}

/** Not here or not now. */
export class UnavailableError extends CodedError<UnavailableCode> {
  override readonly name = 'UnavailableError'
}

/** The caller's mistake. */
export class UsageError extends CodedError<UsageCode> {
  override readonly name = 'UsageError'
}

/** True for an error of one of the four classes, also from another copy of this package. */
export function isLongshoreError(error: unknown): error is LongshoreError {
  if (!(error instanceof Error) || !('code' in error)) return false
  const { code } = error
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) return false
  return ERROR_CODES[code as ErrorCode].class === error.name
}

/** An error of the class that `code` belongs to. */
export function createError(
  code: ErrorCode,
  message: string,
  details?: ErrorDetails,
): LongshoreError {
  switch (ERROR_CODES[code].class) {
    case 'VerificationError':
      return new VerificationError(code as VerificationCode, message, details)
    case 'ProtocolError':
      return new ProtocolError(code as ProtocolCode, message, details)
    case 'UnavailableError':
      return new UnavailableError(code as UnavailableCode, message, details)
    case 'UsageError':
      return new UsageError(code as UsageCode, message, details)
  }
}
