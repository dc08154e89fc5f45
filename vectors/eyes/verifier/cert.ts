/**
 * Certificates as far as a receipt needs them: who may serve a capsule, who is a member of a
 * domain, and which writer key is in force. Written from docs/spec/cert.md.
 *
 * @module
 */
import { asArray, asBytes, asMap, asNumber, asText, readCbor, type Value } from './cbor.ts'
import { checkPoint } from './ed25519.ts'
import { type ManifestType, type OpenedManifest, openManifest, openSigned } from './manifest.ts'
import { require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

const TERMS = [
  'depth',
  'issuer',
  'notAfter',
  'notBefore',
  'parent',
  'revocation',
  'serial',
  'staleness',
  'subject',
  'v',
]
const NEVER = Number.MAX_SAFE_INTEGER

interface Cert {
  readonly fields: ReadonlyMap<string, Value>
  readonly hash: Uint8Array
  readonly checkSigned: (key: Uint8Array, second: Uint8Array | undefined) => void
}

type Kind = 'adcert' | 'membercert' | 'writercert'

const MORE: Readonly<Record<Kind, readonly string[]>> = {
  adcert: ['capsules', 'domains', 'rights'],
  membercert: ['rights'],
  writercert: ['branch', 'epoch', 'keys', 'root', 'size'],
}
const RIGHTS: Readonly<Record<Kind, readonly string[]>> = {
  adcert: ['advertise', 'serve'],
  membercert: ['lookup', 'mirror', 'route'],
  writercert: [],
}

function openCert(kind: Kind, signed: Uint8Array): Cert {
  require(signed.length <= 16384, 'a certificate is too long')
  const { body, checkSigned } = openSigned(signed, `application/longshore-${kind}+cbor`)
  const keys = [...TERMS, ...MORE[kind]]
  const fields = asMap(readCbor(body, 4), keys)
  require(fields.size === keys.length && fields.get('v') === 1, 'a key is missing')
  for (const name of ['issuer', 'subject']) asBytes(fields.get(name), 32)
  for (const name of ['parent', 'revocation']) {
    if (fields.get(name) !== null) asBytes(fields.get(name), 32)
  }
  asBytes(fields.get('serial'), 16)
  asNumber(fields.get('depth'), 7)
  require(asNumber(fields.get('notBefore')) <= asNumber(fields.get('notAfter')), 'ends too early')
  const staleness = asNumber(fields.get('staleness'))
  require(staleness === 0 || fields.get('revocation') !== null, 'staleness of nothing')
  if (RIGHTS[kind].length > 0) {
    const rights = asArray(fields.get('rights')).map(asText)
    const known = RIGHTS[kind].filter((right) => rights.includes(right))
    require(rights.length > 0 && rights.join() === known.join(), 'rights unknown or not sorted')
  }
  if (kind === 'adcert') {
    readNames(fields.get('capsules'), 'all', 256)
    readNames(fields.get('domains'), 'any', 64)
  }
  return { fields, hash: sha256(signed), checkSigned }
}

function readNames(value: Value | undefined, word: string, max: number): void {
  if (value === word) return
  const names = asArray(value).map((name) => asBytes(name, 32))
  const isSorted = names.every((name, at) => at === 0 || Buffer.compare(names[at - 1]!, name) < 0)
  require(isSorted && names.length <= max, 'names sorted, each once')
}

const has = (list: Value | undefined, item: Uint8Array): boolean =>
  typeof list === 'string' || asArray(list).some((other) => same(asBytes(other), item))

/** Every item of `inner` is in `outer`; a word is in the same word only. */
function isWithin(inner: Value | undefined, outer: Value | undefined): boolean {
  if (typeof outer === 'string') return true
  if (typeof inner === 'string') return false
  const texts = asArray(outer).map(String)
  return asArray(inner).every((item) => texts.includes(String(item)))
}

/** A chain that holds for `subject` at a second: its leaf, and who stands at its end. */
function openChain(
  kind: Kind,
  bytes: Uint8Array,
  subject: Uint8Array,
  atS: number,
): { leaf: Cert; root: OpenedManifest; between: OpenedManifest[] } {
  require(bytes.length <= 131072, 'the chain is too long')
  const [certItems, manifestItems, ...rest] = asArray(readCbor(bytes, 2))
  require(rest.length === 0, 'a chain has two parts')
  const certs = asArray(certItems).map((cert) => openCert(kind, asBytes(cert)))
  const types: ManifestType[] = ['domain', 'node', 'organisation', 'person']
  const issuers = asArray(manifestItems).map((item) => openManifest(asBytes(item), ...types))
  require(certs.length > 0 && certs.length <= 8, '1 to 8 certificates')
  require(issuers.length === certs.length, 'one manifest for each issuer')
  const isSorted = issuers.every(
    ({ name }, at) => at === 0 || Buffer.compare(issuers[at - 1]!.name, name) < 0,
  )
  require(isSorted, 'manifests not sorted')
  let expected: Uint8Array = subject
  const used: Uint8Array[] = []
  const line: OpenedManifest[] = []
  for (const [at, { fields, checkSigned }] of certs.entries()) {
    require(same(asBytes(fields.get('subject')), expected), 'another subject')
    require(!used.some((name) => same(name, expected)), 'a loop')
    used.push(expected)
    const outer = certs[at + 1]
    const parent = fields.get('parent')
    if (outer === undefined) require(parent === null, 'the next certificate is missing')
    else {
      require(parent !== null && same(asBytes(parent), outer.hash), 'another parent')
      checkNarrower(fields, outer.fields)
    }
    const [from, to] = [asNumber(fields.get('notBefore')), asNumber(fields.get('notAfter'))]
    require(from <= atS && atS <= to, 'does not hold at that second')
    expected = asBytes(fields.get('issuer'))
    const issuer = issuers.find(({ name }) => same(name, expected))
    require(issuer !== undefined, 'a manifest is missing')
    const use = issuer.type === 'node' ? 'identity' : 'owner'
    checkSigned(issuer.keys.get(use)!, issuer.secondKeys.get(use))
    line.push(issuer)
  }
  require(!used.some((name) => same(name, expected)), 'a loop')
  const root = line.pop()!
  return { leaf: certs[0]!, root, between: line }
}

function checkNarrower(inner: ReadonlyMap<string, Value>, outer: ReadonlyMap<string, Value>): void {
  const number = (fields: ReadonlyMap<string, Value>, key: string) => asNumber(fields.get(key))
  require(number(inner, 'depth') < number(outer, 'depth'), 'too many links')
  require(number(inner, 'notBefore') >= number(outer, 'notBefore'), 'holds earlier')
  require(number(inner, 'notAfter') <= number(outer, 'notAfter'), 'holds longer')
  for (const key of ['capsules', 'domains', 'rights']) {
    if (outer.has(key)) require(isWithin(inner.get(key), outer.get(key)), `more ${key}`)
  }
}

/** Passes if the chain lets the node serve the capsule, being a member of `domains`. */
export function checkServes(
  bytes: Uint8Array,
  node: Uint8Array,
  capsule: OpenedManifest,
  domains: readonly Uint8Array[],
  atS: number,
): void {
  const { leaf, root, between } = openChain('adcert', bytes, node, atS)
  require(between.every(({ type }) => type !== 'person'), 'a person between')
  require(root.type !== 'node', 'a node as root')
  require(same(root.keys.get('owner')!, capsule.keys.get('owner')!), 'not of the owner')
  require(asArray(leaf.fields.get('rights')).includes('serve'), 'no right to serve')
  require(has(leaf.fields.get('capsules'), capsule.name), 'other capsules')
  const listed = leaf.fields.get('domains')
  require(listed === 'any' || domains.some((name) => has(listed, name)), 'other domains')
  const { exclude, hold } = capsule.policy
  require(!domains.some((name) => has([...exclude], name)), 'in an excluded domain')
  const mayHold = hold === 'any' || domains.some((name) => has([...hold], name))
  require(mayHold, 'in no domain that may hold copies')
}

/** The domain of which the node is a member, with the right to mirror. */
export function memberDomain(bytes: Uint8Array, node: Uint8Array, atS: number): Uint8Array {
  const { leaf, root } = openChain('membercert', bytes, node, atS)
  require(root.type === 'domain', 'the end is no domain')
  require(asArray(leaf.fields.get('rights')).includes('mirror'), 'no right to mirror')
  return root.name
}

/** The writer key after all changes on a branch, and the smallest size of a head under it. */
export function writerInForce(
  certs: readonly Uint8Array[],
  capsule: OpenedManifest,
  branch: Uint8Array,
): { key: Uint8Array; secondKey: Uint8Array | undefined; sizeMin: number } {
  let key = capsule.keys.get('writer')!
  let secondKey = capsule.secondKeys.get('writer')
  let [sizeMin, epoch]: [number, number] = [1, 0]
  let previous: Uint8Array | null = null
  const used = [capsule.keys.get('owner')!, key]
  for (const cert of certs) {
    require(cert.length <= 8192, 'a change is too long')
    const { fields, hash, checkSigned } = openCert('writercert', cert)
    require(fields.get('notAfter') === NEVER && fields.get('depth') === 0, 'a change that ends')
    require(fields.get('revocation') === null, 'a change that can be revoked')
    require(same(asBytes(fields.get('subject')), capsule.name), 'of another capsule')
    require(same(asBytes(fields.get('branch')), branch), 'on another branch')
    epoch += 1
    require(asNumber(fields.get('epoch')) === epoch, 'another epoch')
    const parent = fields.get('parent')
    const follows = previous === null ? parent === null : same(asBytes(parent), previous)
    require(follows, 'does not follow')
    const size = asNumber(fields.get('size'))
    const root = asBytes(fields.get('root'), 32)
    require(size >= sizeMin - 1 && (size > 0 || same(root, sha256(new Uint8Array(0)))), 'size')
    const [entry, next, ...more] = asArray(fields.get('keys'))
    const fresh = asMap(entry, ['alg', 'key', 'use'])
    require(more.length === 0 && fresh.size === 3, 'one key')
    require(fresh.get('alg') === 'ed25519' && fresh.get('use') === 'writer', 'another key')
    key = asBytes(fresh.get('key'), 32)
    checkPoint(key)
    secondKey = next === undefined ? undefined : readSecondKey(next)
    const halves = [key, ...(secondKey === undefined ? [] : [secondKey])]
    const isUsed = halves.some((one) => used.some((other) => same(other, one)))
    require(!isUsed, 'a key that was used before')
    checkSigned(used[0]!, capsule.secondKeys.get('owner'))
    used.push(key)
    if (secondKey !== undefined) used.push(secondKey)
    sizeMin = size + 1
    previous = hash
  }
  return { key, secondKey, sizeMin }
}

function readSecondKey(entry: Value): Uint8Array {
  const fields = asMap(entry, ['alg', 'key', 'use'])
  require(fields.get('alg') === 'ml-dsa-44' && fields.get('use') === 'writer', 'another key')
  return asBytes(fields.get('key'), 1312)
}
