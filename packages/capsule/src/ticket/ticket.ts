/**
 * Tickets: everything that one needs to dial a node, in one word that a person can copy.
 *
 *     longshore1 base32( 84 01                   array of 4; version 1
 *                           58 20 …              name of the node
 *                           58 20 …              its TLS key
 *                           81 74 74 6c 73 …     addresses, `tls://HOST:PORT`, in the order to try
 *                      )
 *
 * A ticket proves nothing. It pins the key to expect; who holds it shows its manifest, whose hash
 * is the name. Rules TK1 to TK4 of docs/spec/ticket.md.
 *
 * @module
 */
import { formatBase32, parseBase32 } from '../bytes/base32.ts'
import type { CapsuleName, PublicKey } from '../bytes/brands.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { readArray, readBytes, readText, readTuple } from '../cbor/read-value.ts'
import { decodePublicKey } from '../crypto/ed25519.ts'
import { UsageError, VerificationError } from '../errors.ts'
import {
  HASH_BYTES,
  PUBLIC_KEY_BYTES,
  TICKET_ADDRESS_CHARS_MAX,
  TICKET_ADDRESSES_MAX,
} from '../limits.ts'

export interface Ticket {
  readonly name: CapsuleName
  readonly tlsKey: PublicKey
  /** `tls://HOST:PORT`, the best first; 1 to 8. */
  readonly addresses: readonly string[]
}

const PREFIX = 'longshore1'
const VERSION = 1
/** Base32 of a ticket with the most and longest addresses, rounded up. */
const TEXT_CHARS_MAX = 4096
/** A scheme, then visible ASCII: printed on terminals and handed to a transport. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/

/** @throws {UsageError} `TICKET_INVALID` for a ticket that `parseTicket` would refuse. */
export function formatTicket({ name, tlsKey, addresses }: Ticket): string {
  const bytes = encodeCbor([VERSION, name, tlsKey, addresses], 2)
  decodeTicket(bytes)
  return PREFIX + formatBase32(bytes)
}

/** @throws {UsageError} `TICKET_INVALID` for anything but the one spelling of a ticket. */
export function parseTicket(text: string): Ticket {
  if (!text.startsWith(PREFIX)) fail(`a ticket begins with ${PREFIX}`)
  if (text.length > TEXT_CHARS_MAX) fail('a ticket must be shorter')
  const bytes = parseBase32(text.slice(PREFIX.length))
  if (bytes === undefined) fail('a character is wrong or missing')
  return decodeTicket(bytes)
}

function decodeTicket(bytes: Uint8Array): Ticket {
  let value: CborValue
  let tlsKey: PublicKey
  try {
    value = decodeCbor(bytes, 2)
  } catch (cause) {
    return fail('something is wrong or missing', cause)
  }
  const fields = readTuple(value, 4, 'a ticket', fail)
  if (fields[0] !== VERSION) fail('this version knows only tickets of version 1')
  const name = readBytes(fields[1], HASH_BYTES, 'the name', fail) as CapsuleName
  try {
    tlsKey = decodePublicKey(readBytes(fields[2], PUBLIC_KEY_BYTES, 'the TLS key', fail))
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    return fail('the TLS key is not one that can be used', cause)
  }
  const items = readArray(fields[3], TICKET_ADDRESSES_MAX, 'the addresses', fail)
  if (items.length === 0) fail('a ticket must have an address')
  const addresses = items.map((item) => {
    const address = readText(item, TICKET_ADDRESS_CHARS_MAX, 'an address', fail)
    return ADDRESS.test(address) ? address : fail('an address must be SCHEME://PLACE')
  })
  return { name, tlsKey, addresses }
}

function fail(what: string, cause?: unknown): never {
  const options = cause === undefined ? undefined : { cause }
  throw new UsageError('TICKET_INVALID', what, undefined, options)
}
