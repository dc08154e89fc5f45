/**
 * The signed manifest: COSE_Sign1 (RFC 9052 section 4) around a CBOR map, and the capsule's name.
 *
 * @module
 */
import { asArray, asBytes, asMap, asNumber, asText, readCbor, type Value } from './cbor.ts'
import { checkPoint, checkSignature } from './ed25519.ts'
import { checkMlDsa44 } from './ml-dsa-44.ts'
import { require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

const KEYS = [
  'authority',
  'blind',
  'crit',
  'crypto',
  'ext',
  'keys',
  'mode',
  'nonce',
  'policy',
  't',
  'time',
  'v',
] as const
const POLICY_KEYS = ['carry', 'copies', 'exclude', 'hold', 'read'] as const
const BODY_BYTES_MAX = 16384
/** The body, its map ext, and eight levels in a value of that. */
const BODY_DEPTH_MAX = 10

export type ManifestType = 'capsule' | 'domain' | 'node' | 'organisation' | 'person'

/** Which keys each type of manifest lists, in this order. */
const USES: Readonly<Record<ManifestType, readonly string[]>> = {
  capsule: ['owner', 'writer'],
  domain: ['owner'],
  node: ['head-log', 'identity', 'mirror', 'owner', 'tls', 'witness'],
  organisation: ['owner'],
  person: ['owner'],
}

/** Whose statements need an ML-DSA-44 signature too, if a manifest lists such a key. */
const USES_WITH_TWO: readonly string[] = ['owner', 'writer', 'mirror', 'witness']

/** {11: [{1: -48}, {}, 2420 bytes: RFC 9338 and RFC 9964, up to the signature. */
const COUNTERSIGNATURE = Buffer.from('a10b8344a101382fa0590974', 'hex')
const COUNTERSIGNATURE_PROTECTED = Buffer.from('a101382f', 'hex')

export interface OpenedManifest {
  readonly name: Uint8Array
  readonly type: ManifestType
  readonly policy: Policy
  /** Ed25519 keys by use. */
  readonly keys: ReadonlyMap<string, Uint8Array>
  /** ML-DSA-44 keys by use. */
  readonly secondKeys: ReadonlyMap<string, Uint8Array>
}

/** Which domains may hold copies. */
export interface Policy {
  readonly exclude: readonly Uint8Array[]
  readonly hold: 'any' | readonly Uint8Array[]
}

/** A byte string item for Sig_structure. */
function bytesItem(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(3)
  length[0] = 0x59
  length.writeUInt16BE(bytes.length, 1)
  const head =
    bytes.length < 24
      ? Buffer.from([0x40 | bytes.length])
      : bytes.length < 256
        ? Buffer.from([0x58, bytes.length])
        : length
  return Buffer.concat([head, bytes])
}

/** A COSE_Sign1 of this content type: its body, and a check of who signed it. */
export function openSigned(
  signed: Uint8Array,
  contentType: string,
): {
  readonly body: Uint8Array
  readonly checkSigned: (key: Uint8Array, second: Uint8Array | undefined) => void
} {
  const type = Buffer.from(contentType)
  /** {1: -19 (Ed25519), 3: content type} */
  const head = Buffer.concat([Buffer.from([0xa2, 1, 0x32, 3, 0x78, type.length]), type])
  require(signed[0] === 0xd2, 'no tag 18')
  const { plain, countersignature } = splitCountersignature(head, signed)
  const fields = asArray(readCbor(plain.subarray(1)))
  require(fields.length === 4, 'COSE_Sign1 has four fields')
  require(same(asBytes(fields[0]), head), 'another protected header')
  require(asMap(fields[1], []).size === 0, 'unprotected parameters')
  const body = asBytes(fields[2])
  const signature = asBytes(fields[3], 64)
  const context = Buffer.concat([Buffer.from([0x84, 0x6a]), Buffer.from('Signature1')])
  const message = Buffer.concat([context, bytesItem(head), Buffer.from([0x40]), bytesItem(body)])
  return {
    body,
    checkSigned(key, second) {
      checkSignature(key, message, signature)
      require((second === undefined) === (countersignature === undefined), 'one signature of two')
      if (second === undefined || countersignature === undefined) return
      checkMlDsa44(second, countersignStructure(head, body, signature), countersignature)
    },
  }
}

/** Verifies a manifest of one of these types and gives what its other proofs need. */
export function openManifest(signed: Uint8Array, ...types: ManifestType[]): OpenedManifest {
  require(signed.length <= BODY_BYTES_MAX + 2560, 'the manifest is too long')
  const { body, checkSigned } = openSigned(signed, 'application/longshore-manifest+cbor')
  require(body.length <= BODY_BYTES_MAX, 'the manifest is too long')
  const opened = readBody(readCbor(body, BODY_DEPTH_MAX), types)
  checkSigned(opened.keys.get('owner')!, opened.secondKeys.get('owner'))
  return { name: sha256(body), ...opened }
}

/** RFC 9338 section 3.3, with the Ed25519 signature as the only other field. */
function countersignStructure(
  head: Uint8Array,
  body: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return Buffer.concat([
    Buffer.from([0x86, 0x72]),
    Buffer.from('CounterSignatureV2'),
    bytesItem(head),
    bytesItem(COUNTERSIGNATURE_PROTECTED),
    Buffer.from([0x40]),
    bytesItem(body),
    Buffer.from([0x81]),
    bytesItem(signature),
  ])
}

/** The message as it would be without its countersignature, and that. */
function splitCountersignature(
  head: Uint8Array,
  signed: Uint8Array,
): { plain: Uint8Array; countersignature: Uint8Array | undefined } {
  const beginning = Buffer.concat([Buffer.from([0xd2, 0x84]), bytesItem(head)])
  const at = beginning.length + COUNTERSIGNATURE.length
  const marked = Buffer.concat([beginning, COUNTERSIGNATURE])
  if (signed.length < at + 2420 || !same(signed.subarray(0, at), marked)) {
    return { plain: signed, countersignature: undefined }
  }
  const plain = Buffer.concat([beginning, Buffer.from([0xa0]), signed.subarray(at + 2420)])
  return { plain: new Uint8Array(plain), countersignature: signed.subarray(at, at + 2420) }
}

type KeysByUse = Pick<OpenedManifest, 'keys' | 'secondKeys'>

function readBody(value: Value, types: readonly string[]): Omit<OpenedManifest, 'name'> {
  const body = asMap(value, KEYS)
  require(body.size === KEYS.length, 'a key is missing')
  const type = asText(body.get('t')) as ManifestType
  require(types.includes(type) && body.get('v') === 1, 'another type or version')
  require(body.get('crypto') === 'sha256-ed25519', 'another suite')
  require(['strict', 'branching'].includes(asText(body.get('mode'))), 'an unknown mode')
  require(asArray(body.get('crit')).length === 0, 'an extension that is not understood')
  require(typeof body.get('blind') === 'boolean', 'blind is true or false')
  asBytes(body.get('nonce'), 16)
  asNumber(body.get('time'))
  if (body.get('authority') !== null) asBytes(body.get('authority'), 32)
  readExtension(body.get('ext'))
  const policy = readPolicy(body.get('policy'))
  return { type, policy, ...readKeys(asArray(body.get('keys')), USES[type]) }
}

function readKeys(entries: readonly Value[], uses: readonly string[]): KeysByUse {
  const keys = new Map<string, Uint8Array>()
  const secondKeys = new Map<string, Uint8Array>()
  const rest = entries.map((entry) => asMap(entry, ['alg', 'key', 'use']))
  for (const use of uses) {
    const entry = rest.shift()
    require(entry?.get('use') === use && entry.get('alg') === 'ed25519', 'another use or algorithm')
    const key = asBytes(entry?.get('key'), 32)
    checkPoint(key)
    require(![...keys.values()].some((other) => same(other, key)), 'one key with two uses')
    keys.set(use, key)
    if (rest[0]?.get('use') !== use) continue
    const next = rest.shift()
    require(next?.get('alg') === 'ml-dsa-44' && USES_WITH_TWO.includes(use), 'a key too many')
    const second = asBytes(next?.get('key'), 1312)
    require(![...secondKeys.values()].some((other) => same(other, second)), 'one key, two uses')
    secondKeys.set(use, second)
  }
  require(rest.length === 0, 'other keys than this type has')
  return { keys, secondKeys }
}

function readPolicy(value: Value | undefined): Policy {
  const policy = asMap(value, POLICY_KEYS)
  require(policy.size === POLICY_KEYS.length, 'a key of the policy is missing')
  require(asNumber(policy.get('copies'), 64) >= 1, 'at least one copy')
  for (const list of ['carry', 'exclude', 'hold', 'read']) {
    const names = policy.get(list)
    if (names === 'any' && list !== 'exclude') continue
    const all = asArray(names).map((name) => asBytes(name, 32))
    const isSorted = all.every((name, at) => at === 0 || Buffer.compare(all[at - 1]!, name) < 0)
    require(isSorted && all.length <= 64, 'names sorted, each once, at most 64')
  }
  return {
    exclude: policy.get('exclude') as Uint8Array[],
    hold: policy.get('hold') as Policy['hold'],
  }
}

function readExtension(value: Value | undefined): void {
  require(value instanceof Map, 'ext is a map')
  if (!value.has('labels')) return
  const labels = value.get('labels')
  require(labels instanceof Map && labels.size > 0, 'labels are a map with keys')
  for (const text of [...labels.keys(), ...labels.values()]) {
    require(Buffer.byteLength(asText(text)) <= 256, 'a label is too long')
  }
}
