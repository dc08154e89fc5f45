/**
 * Memberships: a chain of MemberCerts as one word, which a domain's owner gives to a node's
 * operator.
 *
 *     longshoremember1 base32( 82 … )        the chain as CE15 encodes it
 *
 * The word is no secret: it helps nobody but the node that it names. Taking it apart verifies
 * nothing; `verifyMemberChain` does. Rule ND15 of docs/spec/node.md.
 *
 * @module
 */
import { formatBase32, parseBase32 } from '../bytes/base32.ts'
import type { CapsuleName } from '../bytes/brands.ts'
import { type CertChain, decodeCertChain, encodeCertChain } from '../cert/cert-chain.ts'
import { decodeMemberCert } from '../cert/member-cert.ts'
import { UsageError, VerificationError } from '../errors.ts'
import { CHAIN_BYTES_MAX } from '../limits.ts'

/** What the word says; none of it is verified. */
export interface MembershipWord {
  /** Issuer of the last certificate. */
  readonly domain: CapsuleName
  /** Whom the leaf admits. */
  readonly subject: CapsuleName
  /** Last second in which all of it holds. */
  readonly notAfterS: number
  readonly chain: CertChain
}

const PREFIX = 'longshoremember1'
/** Base32 of the longest chain, rounded up. */
const TEXT_CHARS_MAX: number = PREFIX.length + 2 * CHAIN_BYTES_MAX

/** @throws {UsageError} `USAGE` for something that is no chain. */
export function formatMembership(chain: CertChain): string {
  return PREFIX + formatBase32(encodeCertChain(chain))
}

/** @throws {UsageError} `MEMBERSHIP_INVALID` for anything but the one spelling of a membership. */
export function parseMembership(text: string): MembershipWord {
  if (!text.startsWith(PREFIX)) fail(`a membership begins with ${PREFIX}`)
  if (text.length > TEXT_CHARS_MAX) fail('a membership must be shorter')
  const bytes = parseBase32(text.slice(PREFIX.length))
  if (bytes === undefined) fail('a character is wrong or missing')
  try {
    const chain = decodeCertChain(bytes)
    const bodies = chain.certs.map(decodeMemberCert)
    const [leaf, root] = [bodies[0], bodies.at(-1)]
    if (leaf === undefined || root === undefined) fail('a chain has a certificate')
    const notAfterS = Math.min(...bodies.map((body) => body.notAfterS))
    return { domain: root.issuer, subject: leaf.subject, notAfterS, chain }
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    fail('something is wrong or missing', cause)
  }
}

function fail(what: string, cause?: unknown): never {
  const options = cause === undefined ? undefined : { cause }
  throw new UsageError('MEMBERSHIP_INVALID', what, undefined, options)
}
