/**
 * An entry after verification, as applications get it.
 *
 * @module
 */
import {
  type Hash,
  type Header,
  openBody,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { StoredEntry } from '@longshore/engine'
import type { Entry } from './capsule.ts'

const decoder = new TextDecoder()

export class VerifiedEntry implements Entry {
  readonly index: number
  readonly state: 'present' | 'absent' | 'erased'
  readonly payload: Uint8Array | undefined
  readonly header: Header

  /**
   * The caller has compared the header with the tree.
   *
   * @throws {VerificationError} `PAYLOAD_MISMATCH` if the body does not fit the header.
   */
  constructor(stored: StoredEntry, header: Header) {
    this.index = stored.index
    this.state = stored.state
    this.header = header
    this.payload = stored.body && openBodyOf(stored.index, header, stored.body)
  }

  get timeUs(): number {
    return this.header.timeUs
  }

  get kind(): 0 | 1 | 2 {
    return this.header.kind
  }

  get payloadBytes(): number {
    return this.header.payloadBytes
  }

  get payloadHash(): Hash {
    return this.header.payloadHash
  }

  text(): string {
    if (this.payload !== undefined) return decoder.decode(this.payload)
    const details = { index: this.index }
    if (this.state === 'erased') {
      throw new UnavailableError('PAYLOAD_ERASED', 'the payload of this entry was erased', details)
    }
    throw new UnavailableError('PAYLOAD_ABSENT', 'the payload of this entry is not here', details)
  }
}

/**
 * The payload of entry `index`.
 *
 * @throws {VerificationError} `PAYLOAD_MISMATCH`, saying of which entry.
 */
export function openBodyOf(index: number, header: Header, body: Uint8Array): Uint8Array {
  try {
    return openBody(header, body)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    const message = `entry ${index}: ${cause.message}`
    throw new VerificationError('PAYLOAD_MISMATCH', message, { index, ...cause.details }, { cause })
  }
}
