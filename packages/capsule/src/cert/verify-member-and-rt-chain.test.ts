import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principalOf } from '../receipt/testing/sample-capsule.ts'
import { certHash } from './cert-terms.ts'
import {
  adChain,
  CAPSULE,
  DOMAIN,
  FAR_ROUTER,
  HOUR_S,
  memberChain,
  NODE,
  NOW_S,
  ORGANISATION,
  PERSON,
  ROUTER,
  rtChain,
} from './testing/sample-chain.ts'
import { type MemberChainExpectation, verifyMemberChain } from './verify-member-chain.ts'
import { type RtChainExpectation, verifyRtChain } from './verify-rt-chain.ts'

const IN_DOMAIN: MemberChainExpectation = {
  domain: DOMAIN.signed.name,
  subject: NODE.signed.name,
  right: 'mirror',
  atS: NOW_S,
}
const CARRIED: RtChainExpectation = {
  first: NODE.signed.name,
  adcert: null,
  router: FAR_ROUTER.signed.name,
  atS: NOW_S,
}

const verifyRt = ({ certs, manifests } = rtChain(), change: Partial<RtChainExpectation> = {}) =>
  verifyRtChain(certs, manifests, { ...CARRIED, ...change })

test('CE12: a membership ends at its domain', () => {
  for (const along of [
    [DOMAIN, NODE],
    [DOMAIN, PERSON, NODE],
    [DOMAIN, ROUTER, ORGANISATION, NODE],
  ]) {
    const chain = memberChain(along)
    assert.deepEqual(verifyMemberChain(chain, IN_DOMAIN), {
      notAfterS: NOW_S + HOUR_S,
      leafHash: certHash(chain.certs[0] as Uint8Array),
      root: DOMAIN.signed.name,
    })
  }
  const refuse = (chain: ReturnType<typeof memberChain>, code: string): void => {
    assert.throws(() => verifyMemberChain(chain, IN_DOMAIN), { code })
  }
  refuse(memberChain([DOMAIN, NODE], { rights: ['lookup', 'route'] }), 'CERT_SCOPE')
  refuse(memberChain([DOMAIN, PERSON, NODE], { rights: ['mirror'] }), 'CERT_SCOPE')
  refuse(memberChain([principalOf('domain', 91), NODE]), 'CERT_SCOPE')
  refuse(memberChain([ORGANISATION, NODE]), 'CERT_CHAIN')
  refuse(memberChain([DOMAIN, CAPSULE, NODE]), 'CERT_CHAIN')
  refuse(memberChain([DOMAIN, ROUTER]), 'CERT_SCOPE')
  refuse(adChain([DOMAIN, NODE]), 'CERT_INVALID')
})

test('CE12: a person or an organisation lets its own nodes read, and nothing else', () => {
  for (const owner of [PERSON, ORGANISATION]) {
    const expected = { ...IN_DOMAIN, domain: owner.signed.name, right: 'read' } as const
    const chain = memberChain([owner, NODE], { rights: ['read'] })
    assert.deepEqual(verifyMemberChain(chain, expected).root, owner.signed.name)
    const all = memberChain([owner, NODE], { rights: ['lookup', 'mirror', 'read', 'route'] })
    assert.throws(() => verifyMemberChain(all, { ...expected, right: 'mirror' }), {
      code: 'CERT_CHAIN',
    })
  }
  const ofNode = memberChain([ROUTER, NODE], { rights: ['read'] })
  const expected = { ...IN_DOMAIN, domain: ROUTER.signed.name, right: 'read' } as const
  assert.throws(() => verifyMemberChain(ofNode, expected), { code: 'CERT_CHAIN' })
})

test('CE17: joining to route or to hold is judged strictly, looking up leniently', () => {
  const revocation = principalOf('capsule', 11).signed.name
  const chain = memberChain([DOMAIN, NODE], { revocation, stalenessS: 60 })
  const view = { isRevoked: () => false, freshAtS: () => NOW_S - 61 }
  verifyMemberChain(chain, { ...IN_DOMAIN, right: 'lookup', revocation: view })
  for (const right of ['mirror', 'route'] as const) {
    const verify = (): unknown =>
      verifyMemberChain(chain, { ...IN_DOMAIN, right, revocation: view })
    assert.throws(verify, { code: 'REVOCATION_STALE', name: 'UnavailableError' })
  }
  const carried = rtChain([NODE, FAR_ROUTER], { revocation, stalenessS: 60 })
  assert.throws(() => verifyRt(carried, { revocation: view }), { code: 'REVOCATION_STALE' })
  const fresh = { ...view, freshAtS: () => NOW_S - 60 }
  verifyRt(carried, { revocation: fresh })
})

test('CE13: routers pass on what a node advertises, for one AdCert', () => {
  assert.deepEqual(verifyRt().root, NODE.signed.name)
  const { certs } = adChain([PERSON, NODE])
  const adcert = certHash(certs[0] as Uint8Array)
  const other = certHash(new Uint8Array(1))
  const about = rtChain([NODE, ROUTER, FAR_ROUTER], { adcert }, { adcert })
  verifyRt(about, { adcert })
  for (const [chain, claimed] of [
    [about, null],
    [about, other],
    [rtChain(), adcert],
    [rtChain([NODE, ROUTER, FAR_ROUTER], { adcert }), null],
    [rtChain([NODE, ROUTER, FAR_ROUTER], { adcert: other }, { adcert }), adcert],
  ] as const) {
    assert.throws(() => verifyRt(chain, { adcert: claimed }), { code: 'CERT_SCOPE' })
  }
  assert.throws(() => verifyRt(rtChain([NODE, ROUTER])), { code: 'CERT_SCOPE' })
  assert.throws(() => verifyRt(rtChain([ROUTER, FAR_ROUTER])), { code: 'CERT_CHAIN' })
  assert.throws(() => verifyRt(rtChain([PERSON, FAR_ROUTER])), { code: 'CERT_CHAIN' })
  assert.throws(() => verifyRt(rtChain([NODE, DOMAIN, FAR_ROUTER])), { code: 'CERT_CHAIN' })
  assert.throws(() => verifyRt(rtChain([NODE, ROUTER, NODE, FAR_ROUTER])), { code: 'CERT_CHAIN' })
  // One link from an AdCert chain does not make a route.
  assert.throws(() => verifyRt(adChain([NODE, FAR_ROUTER])), { code: 'CERT_INVALID' })
  assert.throws(() => verifyRt(rtChain(), { atS: NOW_S + HOUR_S + 1 }), { code: 'CERT_EXPIRED' })
})
