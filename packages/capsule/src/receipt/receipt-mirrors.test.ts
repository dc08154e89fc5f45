import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CapsuleName } from '../bytes/brands.ts'
import { compareBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { encodeCertChain } from '../cert/cert-chain.ts'
import { certHash } from '../cert/cert-terms.ts'
import {
  adChain,
  CAPSULE,
  DOMAIN,
  HOUR_S,
  memberChain,
  NODE,
  NOW_S,
  ORGANISATION,
  PERSON,
  ROUTER,
  writerCertBody,
} from '../cert/testing/sample-chain.ts'
import { signWriterCert } from '../cert/writer-cert.ts'
import { createHeartbeat } from '../checkpoint/heartbeat.ts'
import type { Signer } from '../crypto/signer.ts'
import type { Policy } from '../manifest/policy.ts'
import { createReceipt, type ReceiptParts, verifyReceipt } from './receipt.ts'
import { type MirrorCosignature, mirrorParts } from './receipt-mirrors.ts'
import {
  entriesOf,
  principalOf,
  SampleHistory,
  type SamplePrincipal,
  signerOf,
} from './testing/sample-capsule.ts'

const WRITER = CAPSULE.signers.get('writer') as Signer
const HISTORY = new SampleHistory(entriesOf(5))
const HEAD = HISTORY.head(CAPSULE.signed, 5, WRITER)

function partsOf(capsule = CAPSULE, mirrors: readonly MirrorCosignature[] = []): ReceiptParts {
  const { header, body } = HISTORY.entries[2] as { header: Uint8Array; body: Uint8Array }
  const head = HISTORY.head(capsule.signed, 5, WRITER)
  const path = HISTORY.inclusionPath(2, 5)
  const manifest = capsule.signed.signed
  return { manifest, header, body, index: 2, head, path, writerKey: WRITER.key, mirrors }
}

function mirrorOf(
  node: SamplePrincipal,
  change: Partial<MirrorCosignature> = {},
  { timeS = NOW_S, capsule = CAPSULE } = {},
): MirrorCosignature {
  const signer = node.signers.get('mirror') as Signer
  return {
    manifest: node.signed.signed,
    cosignature: createHeartbeat(capsule.signed.name, HEAD, timeS, signer),
    adChain: adChain([PERSON, node]),
    memberChains: [],
    ...change,
  }
}

type Said = Pick<ReturnType<typeof verifyReceipt>, 'mirrors' | 'level' | 'unverifiedCosigners'> & {
  /** What was left out of `part`, by code. */
  readonly leftOut: readonly string[]
}

function read(mirrors: readonly MirrorCosignature[], capsule = CAPSULE): Said {
  const receipt = createReceipt(partsOf(capsule, mirrors))
  const { mirrors: verified, level, unverifiedCosigners, leftOut } = verifyReceipt(receipt)
  const codes = leftOut.map(({ part, error }) => `${part} ${error.code}`)
  return { mirrors: verified, level, unverifiedCosigners, leftOut: codes }
}

test('RC13: without mirrors a receipt is of the level stored', () => {
  assert.deepEqual(read([]), { mirrors: [], level: 'stored', unverifiedCosigners: [], leftOut: [] })
})

test('RC10 RC13: mirrors with a chain to the owner count', () => {
  const memberChains = [memberChain([DOMAIN, NODE])]
  const said = read([mirrorOf(NODE, { memberChains }), mirrorOf(ROUTER)])
  assert.equal(said.level, 'replicated:2')
  assert.deepEqual([said.unverifiedCosigners, said.leftOut], [[], []])
  assert.deepEqual(
    said.mirrors.toSorted((a, b) => b.domains.length - a.domains.length),
    [
      { name: NODE.signed.name, domains: [DOMAIN.signed.name], timeS: NOW_S },
      { name: ROUTER.signed.name, domains: [], timeS: NOW_S },
    ],
  )
})

test('RC10: chains that do not hold make a receipt say less', () => {
  const { certs, manifests } = adChain([PERSON, NODE])
  const inDomain = adChain([PERSON, NODE], { domains: [DOMAIN.signed.name] })
  const lesser: [string, Partial<MirrorCosignature>, code: string, timeS?: number][] = [
    ['no right', { adChain: adChain([PERSON, NODE], { rights: ['advertise'] }) }, 'CERT_SCOPE'],
    ['for another node', { adChain: adChain([PERSON, ROUTER]) }, 'CERT_SCOPE'],
    ['by a stranger', { adChain: adChain([ORGANISATION, NODE]) }, 'CERT_CHAIN'],
    ['of another kind', { adChain: memberChain([DOMAIN, NODE]) }, 'CERT_INVALID'],
    ['no manifest', { adChain: { certs, manifests: [ORGANISATION.signed.signed] } }, 'CERT_CHAIN'],
    ['not a certificate', { adChain: { certs: [Uint8Array.of(1)], manifests } }, 'CERT_INVALID'],
    ['cosigned before it held', {}, 'CERT_EXPIRED', NOW_S - HOUR_S - 1],
    ['cosigned after it held', {}, 'CERT_EXPIRED', NOW_S + HOUR_S + 1],
    ['in a domain', { adChain: inDomain }, 'CERT_SCOPE'],
  ]
  for (const [what, change, code, timeS = NOW_S] of lesser) {
    const said = read([mirrorOf(NODE, change, { timeS })])
    assert.deepEqual(
      said,
      {
        mirrors: [],
        level: 'stored',
        unverifiedCosigners: [{ name: NODE.signed.name, role: 'mirror', timeS }],
        leftOut: [`mirror ${code}`],
      },
      what,
    )
  }
  // A membership that does not hold shows no domain; the mirror still counts.
  const memberChains = [
    memberChain([DOMAIN, ROUTER]),
    memberChain([DOMAIN, NODE], { rights: ['lookup'] }),
  ]
  const said = read([mirrorOf(NODE, { memberChains })])
  assert.deepEqual(said.mirrors[0]?.domains, [])
  assert.deepEqual(said.leftOut, ['membership CERT_SCOPE', 'membership CERT_SCOPE'])
})

/** A capsule of the same owner and writer with another policy. */
function withPolicy(policy: Partial<Policy>): SamplePrincipal {
  const [owner, writer] = ['owner', 'writer'].map((use) => CAPSULE.signers.get(use) as Signer)
  return principalOf('capsule', 201, { owner: owner as Signer, writer: writer as Signer }, policy)
}

test('RC14: where the policy names holders, only members of these domains count', () => {
  const domain = DOMAIN.signed.name
  const memberChains = [memberChain([DOMAIN, NODE])]
  const count = (policy: Partial<Policy>, chains = memberChains): number => {
    const capsule = withPolicy(policy)
    return read([mirrorOf(NODE, { memberChains: chains }, { capsule })], capsule).mirrors.length
  }
  assert.equal(count({ hold: [domain] }), 1)
  assert.equal(count({ hold: [domain] }, []), 0)
  assert.equal(count({ hold: [ORGANISATION.signed.name] }), 0)
  assert.equal(count({ hold: [] }), 0)
  assert.equal(count({ exclude: [domain] }), 0)
  assert.equal(count({ exclude: [domain], hold: [domain] }), 0)
  const several = [domain, ORGANISATION.signed.name].toSorted(compareBytes) as CapsuleName[]
  assert.equal(count({ hold: several }), 1)
  const refusing = withPolicy({ hold: [] })
  const { leftOut } = read([mirrorOf(NODE, {}, { capsule: refusing })], refusing)
  assert.deepEqual(leftOut, ['mirror POLICY_REFUSED'])
})

test('RC13: one mirror key counts once, whatever the names of its nodes', () => {
  const mirror = NODE.signers.get('mirror') as Signer
  const twin = principalOf('node', 221, { mirror })
  const said = read([mirrorOf(NODE), mirrorOf(twin)])
  assert.equal(said.level, 'replicated:1')
  assert.equal(said.unverifiedCosigners.length, 1)
  assert.deepEqual(said.leftOut, ['mirror BAD_KEY'])
  // The same node twice is refused as before.
  assert.throws(() => read([mirrorOf(NODE), mirrorOf(NODE)]), { code: 'RECEIPT_INVALID' })
})

test('RC13: a mirror key that is the owner key or the writer key does not count', () => {
  for (const use of ['owner', 'writer'] as const) {
    const mirror = CAPSULE.signers.get(use) as Signer
    const said = read([mirrorOf(principalOf('node', 241, { mirror })), mirrorOf(ROUTER)])
    assert.equal(said.level, 'replicated:1', use)
    assert.deepEqual(said.mirrors[0]?.name, ROUTER.signed.name)
    assert.equal(said.unverifiedCosigners.length, 1)
  }
})

test("RC13: the writer's heartbeat is not counted as the cosignature of a mirror", () => {
  const node = principalOf('node', 251, { mirror: WRITER })
  const cosignature = createHeartbeat(CAPSULE.signed.name, HEAD, NOW_S, WRITER)
  assert.equal(read([mirrorOf(node, { cosignature })]).level, 'stored')
})

test('RC11 RC14: a membership in an excluded domain that is left out is not known', () => {
  const policy = { exclude: [DOMAIN.signed.name] }
  const capsule = withPolicy(policy)
  const memberChains = [memberChain([DOMAIN, NODE])]
  assert.equal(read([mirrorOf(NODE, { memberChains }, { capsule })], capsule).level, 'stored')
  assert.equal(read([mirrorOf(NODE, {}, { capsule })], capsule).level, 'replicated:1')
  const named = withPolicy({ ...policy, hold: [ORGANISATION.signed.name] })
  assert.equal(read([mirrorOf(NODE, {}, { capsule: named })], named).level, 'stored')
})

test('RC10: a cosignature that does not hold is refused, whatever its chains', () => {
  const cosignature = { ...mirrorOf(ROUTER).cosignature }
  assert.throws(() => read([mirrorOf(NODE, { cosignature })]), { code: 'BAD_SIGNATURE' })
})

test('RC5 RC11: a changed receipt with mirrors is refused, or says the same or less', () => {
  const memberChains = [memberChain()]
  const receipt = createReceipt(
    partsOf(CAPSULE, [mirrorOf(NODE, { memberChains, adChain: adChain() })]),
  )
  const { mirrors, level, unverifiedCosigners, leftOut, ...proven } = verifyReceipt(receipt)
  assert.equal(level, 'replicated:1')
  assert.deepEqual([unverifiedCosigners, leftOut], [[], []])
  const bytes = encodeUtf8(receipt)
  const answers = { refused: 0, less: 0, same: 0 }
  for (const [at, byte] of bytes.entries()) {
    let said: ReturnType<typeof verifyReceipt>
    try {
      said = verifyReceipt(bytes.with(at, byte ^ (1 << (at % 6))))
    } catch (error) {
      assert.equal((error as Error).name, 'VerificationError', `byte ${at}: ${error}`)
      answers.refused++
      continue
    }
    const { mirrors: some, level: other, unverifiedCosigners: unverified, ...more } = said
    const { leftOut: lacking, ...rest } = more
    assert.deepEqual(rest, proven)
    // Whatever it says less, it says why.
    assert.equal(lacking.length > 0, some[0]?.domains.length !== 1, `byte ${at}`)
    if (some.length === 0) {
      assert.equal(other, 'stored')
      answers.less++
      continue
    }
    assert.equal(other, level)
    assert.deepEqual(unverified, [])
    const [mirror] = some
    assert.deepEqual({ ...mirror, domains: mirrors[0]?.domains }, mirrors[0])
    if (mirror?.domains.length === 1) answers.same++
    else answers.less++
  }
  // Nothing but lines that are not there any more can be changed without a trace.
  assert.equal(answers.same, 0)
  assert.ok(answers.refused > 1000 && answers.less > 1000, JSON.stringify(answers))
})

test('RC3 RC5: a chain travels as its encoding, the AdCerts first', () => {
  const memberChains = [memberChain([DOMAIN, NODE])]
  const direct = verifyReceipt(createReceipt(partsOf(CAPSULE, [mirrorOf(NODE, { memberChains })])))
  const certs = [adChain([PERSON, NODE]), ...memberChains].map(encodeCertChain)
  const { cosigners, cosignatures } = lowLevel(certs)
  const parts = { ...partsOf(), cosigners, cosignatures }
  assert.deepEqual(verifyReceipt(createReceipt(parts)), direct)
  const exchanged = lowLevel(certs.toReversed())
  const other = verifyReceipt(createReceipt({ ...partsOf(), ...exchanged }))
  assert.equal(other.level, 'stored')
})

test('RC7: a head under a later writer key needs the changes that lead to it', () => {
  const next = signerOf(231)
  const owner = CAPSULE.signers.get('owner') as Signer
  const branch = HEAD.branch
  const at = { branch, epoch: 1, size: 3, root: HISTORY.root(3) }
  const first = signWriterCert(writerCertBody(at, next.key), owner)
  const partsUnder = (
    signer: Signer,
    writerCerts: readonly Uint8Array[],
    size = 5,
  ): ReceiptParts => ({
    ...partsOf(),
    head: HISTORY.head(CAPSULE.signed, size, signer),
    path: HISTORY.inclusionPath(2, size),
    writerKey: signer.key,
    writerCerts,
  })
  const { head } = verifyReceipt(createReceipt(partsUnder(next, [first])))
  assert.equal(head.epoch, 1)
  const refuse = (parts: ReceiptParts, code: string): void => {
    assert.throws(() => createReceipt(parts), { code })
  }
  refuse(partsUnder(next, []), 'BAD_SIGNATURE')
  refuse(partsUnder(WRITER, [first]), 'BAD_SIGNATURE')
  refuse(partsUnder(next, [first], 3), 'RECEIPT_INVALID')
  const forged = signWriterCert(writerCertBody(at, next.key), WRITER)
  refuse(partsUnder(next, [forged]), 'BAD_SIGNATURE')
  const third = signerOf(232)
  const later = { ...at, epoch: 2, size: 4, root: HISTORY.root(4) }
  const second = signWriterCert(writerCertBody(later, third.key, certHash(first)), owner)
  assert.equal(verifyReceipt(createReceipt(partsUnder(third, [first, second]))).head.epoch, 2)
  refuse(partsUnder(third, [second]), 'CERT_CHAIN')
})

/** The lines and cosigners of NODE with these chains, put together by hand. */
function lowLevel(
  certs: readonly Uint8Array[],
): Required<Pick<ReceiptParts, 'cosigners' | 'cosignatures'>> {
  const { line } = mirrorParts(mirrorOf(NODE))
  return { cosigners: [{ manifest: NODE.signed.signed, certs }], cosignatures: [line] }
}
