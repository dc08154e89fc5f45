/**
 * The policy of a manifest: which trust domains may hold, carry and read a capsule, and in how
 * many copies.
 *
 * Domains are named, never only counted: a count invites one party to pose as many (F5). Version
 * 1 fixes the bytes; nodes enforce them. Rule MF3 of docs/spec/manifest.md.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import type { CborMap, CborValue } from '../cbor/cbor.ts'
import {
  checkAscending,
  type Fail,
  readArray,
  readBytes,
  readExactMap,
  readInteger,
} from '../cbor/read-value.ts'
import { HASH_BYTES, POLICY_COPIES_MAX, POLICY_NAMES_MAX } from '../limits.ts'

/** Names of domains, sorted; at most 64. */
export type DomainList = readonly CapsuleName[]

export interface Policy {
  /** Domains that traffic of this capsule may pass. */
  readonly carry: 'any' | DomainList
  /** Copies that the owner wants, 1 to 64. */
  readonly copies: number
  /** Domains that may neither hold nor carry, whatever the other lists say. */
  readonly exclude: DomainList
  /** Domains whose mirrors may hold a copy. */
  readonly hold: 'any' | DomainList
  /** Who may read. The empty list: only owner and writer. `any` makes the capsule public. */
  readonly read: 'any' | DomainList
}

/**
 * True if members of these domains may hold a copy: none of them is excluded, and the list of
 * holders, if there is one, names one of them. The caller has verified the memberships.
 */
export function mayHold({ hold, exclude }: Policy, domains: readonly CapsuleName[]): boolean {
  const isMemberOf = (list: DomainList): boolean => {
    return list.some((name) => domains.some((domain) => bytesEqual(domain, name)))
  }
  return !isMemberOf(exclude) && (hold === 'any' || isMemberOf(hold))
}

export function policyValue(policy: Policy): CborMap {
  const { carry, copies, exclude, hold, read } = policy
  return new Map<string, CborValue>(Object.entries({ carry, copies, exclude, hold, read }))
}

export function readPolicy(value: CborValue | undefined, fail: Fail): Policy {
  const keys = ['carry', 'copies', 'exclude', 'hold', 'read']
  const map = readExactMap(value, keys, 'the policy', fail)
  const copies = readInteger(map.get('copies'), 'copies', fail, POLICY_COPIES_MAX)
  if (copies === 0) fail('copies must be at least 1')
  return {
    carry: readDomainsOrAny(map.get('carry'), 'carry', fail),
    copies,
    exclude: readDomains(map.get('exclude'), 'exclude', fail),
    hold: readDomainsOrAny(map.get('hold'), 'hold', fail),
    read: readDomainsOrAny(map.get('read'), 'read', fail),
  }
}

function readDomainsOrAny(
  value: CborValue | undefined,
  what: string,
  fail: Fail,
): 'any' | DomainList {
  return value === 'any' ? 'any' : readDomains(value, what, fail)
}

function readDomains(value: CborValue | undefined, what: string, fail: Fail): DomainList {
  const items = readArray(value, POLICY_NAMES_MAX, what, fail)
  const names = items.map(
    (item) => readBytes(item, HASH_BYTES, `a name in ${what}`, fail) as CapsuleName,
  )
  checkAscending(names, compareBytes, what, fail)
  return names
}
