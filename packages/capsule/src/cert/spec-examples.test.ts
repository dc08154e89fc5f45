import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { decodeSign1 } from '../cose/sign1.ts'
import { decodeAdCert } from './ad-cert.ts'
import { adChain, CAPSULE, NODE, NOW_S, PERSON } from './testing/sample-chain.ts'
import { verifyAdChain } from './verify-ad-chain.ts'

test('CE1 CE2: the example in cert.md', () => {
  const document = readFileSync(new URL('../../../../docs/spec/cert.md', import.meta.url), 'utf8')
  const hex = /```text adcert\n([^`]*)```/.exec(document)?.[1]
  const signed = parseHex((hex ?? '').replaceAll('\n', ''))
  assert.ok(signed !== undefined && signed.length > 0)
  const chain = adChain([PERSON, NODE])
  assert.deepEqual(signed, chain.certs[0])
  assert.equal(decodeAdCert(signed).capsules, 'all')
  const { payload } = decodeSign1('application/longshore-adcert+cbor', signed)
  assert.equal(document.includes(`a body of ${payload.length} bytes from \`ad 61 76\` on`), true)
  assert.ok(formatHex(payload).startsWith('ad6176'))
  const { capsule, subject } = { capsule: CAPSULE.signed, subject: NODE.signed.name }
  verifyAdChain(chain, { capsule, subject, right: 'serve', atS: NOW_S })
})
