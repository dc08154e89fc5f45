import assert from 'node:assert/strict'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  type CapsuleName,
  formatMembership,
  formatName,
  type MemberRight,
  parseMembership,
} from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { LongshoreNode } from '../src/index.ts'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
after(() => place.close())

const nowS = Math.floor(Date.now() / 1000)

async function createDomain(): Promise<CapsuleName> {
  await using home = await openHome({ path: place.path('home') })
  return (await home.createIdentity({ type: 'domain', label: 'fleet' })).name
}

async function admit(
  domain: CapsuleName,
  subject: CapsuleName,
  rights?: readonly MemberRight[],
  notAfterS = nowS + 365 * 86_400,
): Promise<string> {
  await using home = await openHome({ path: place.path('home'), readOnly: true })
  return home.admit({ domain, subject, notAfterS, ...(rights === undefined ? {} : { rights }) })
}

function domainOf(node: LongshoreNode): string | undefined {
  return node.status.domain?.name
}

test('ND15: a membership is one word with one spelling', async () => {
  const domain = await createDomain()
  const text = await admit(domain, domain)
  const word = parseMembership(text)
  assert.deepEqual([word.domain, word.subject], [domain, domain])
  assert.equal(formatMembership(word.chain), text)
  const wrong = ['', text.slice(16), text.toUpperCase(), `${text}a`, text.slice(0, -8), `${text}=`]
  for (const each of wrong) {
    assert.throws(() => parseMembership(each), { code: 'MEMBERSHIP_INVALID' }, each.slice(0, 20))
  }
})

test('ND16 HM61: a membership counts for its node, with the rights of its roles, while it holds', async () => {
  const domain = await createDomain()
  const other = await createDomain()
  const node = await place.open('member', { roles: ['mirror', 'router'] })
  const { name } = node
  assert.throws(() => node.joinDomain('longshoremember1'), { code: 'MEMBERSHIP_INVALID' })
  const foreign = await admit(domain, other)
  assert.throws(() => node.joinDomain(foreign), { code: 'CERT_SCOPE' })
  const poor = await admit(domain, name, ['lookup', 'route'])
  assert.throws(() => node.joinDomain(poor), { code: 'CERT_SCOPE' })
  await assert.rejects(admit(domain, name, undefined, nowS - 1), { code: 'TIME_INVALID' })
  assert.equal(domainOf(node), undefined)
  node.joinDomain(await admit(domain, name))
  assert.equal(domainOf(node), formatName(domain))
  await node.close()

  await assert.rejects(place.open('member', { domain: other }), { code: 'CERT_SCOPE' })
  const demanding = await place.open('member', { domain })
  assert.equal(domainOf(demanding), formatName(domain))
  const soon = await admit(domain, name, undefined, nowS + 86_400)
  demanding.joinDomain(soon)
  assert.equal(demanding.health.problems[0]?.code, 'CERT_EXPIRED')
  await demanding.close()
})

test('ND16: a membership that does not hold keeps no node from running, and is reported', async () => {
  const node = await place.open('outside')
  await node.close()
  writeFileSync(join(place.path('outside'), 'membership'), 'longshoremember1x\n')
  const again = await place.open('outside')
  assert.equal(domainOf(again), undefined)
  assert.equal(again.health.problems[0]?.code, 'MEMBERSHIP_INVALID')
  assert.equal(again.health.ok, true)
  await again.close()
  const domain = await createDomain()
  await assert.rejects(place.open('outside', { domain }), { code: 'MEMBERSHIP_INVALID' })
})

test('ND16: what is no file in the place of a membership is not waited for', async () => {
  const node = await place.open('device')
  await node.close()
  symlinkSync('/dev/zero', join(place.path('device'), 'membership'))
  const again = await place.open('device')
  assert.equal(again.health.problems[0]?.code, 'MEMBERSHIP_INVALID')
  await again.close()
})

test('ND9: a seed that is not that of the node starts no node', async () => {
  const node = await place.open('rotten')
  await node.close()
  const file = join(place.path('rotten'), 'keys', `${formatName(node.name)}.key`)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, (text.startsWith('0') ? '1' : '0') + text.slice(1))
  await assert.rejects(place.open('rotten'), { code: 'KEY_UNREADABLE' })
})

test('HM61: a domain is no identity for capsules, and only its home admits', async () => {
  const domain = await createDomain()
  await using home = await openHome({ path: place.path('home') })
  assert.ok((await home.identities()).every(({ name }) => formatName(name) !== formatName(domain)))
  const capsule = await home.create()
  const admitting = { subject: domain, notAfterS: nowS + 10 }
  await assert.rejects(home.admit({ domain: capsule.name, ...admitting }), { code: 'USAGE' })
  await capsule.close()
  await using elsewhere = await openHome({ path: place.path('elsewhere') })
  await assert.rejects(elsewhere.admit({ domain, ...admitting }), { code: 'NOT_FOUND' })
})
