import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asRoleKey, type RoleKey } from '../crypto/role-key.ts'
import { createSigner } from '../crypto/signer.ts'
import { createSign1, decodeSign1, type Sign1, verifySign1 } from './sign1.ts'
import { VerifiedMessages, verdictDigest } from './verified-messages.ts'

const CONTENT_TYPE = 'application/longshore-manifest+cbor'
const seed = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const payload = new Uint8Array(100).fill(5)

function flipped<TBytes extends Uint8Array>(bytes: TBytes): TBytes {
  const changed = bytes.slice()
  changed[40 % changed.length] = (changed[40 % changed.length] as number) ^ 1
  return changed as TBytes
}

test('SG20: after a message verified, it verifies again, and nothing else does instead', () => {
  for (const signer of [createSigner(seed(1)), createSigner(seed(1), seed(2))]) {
    const sign1 = decodeSign1(CONTENT_TYPE, createSign1(CONTENT_TYPE, payload, signer))
    const other = createSigner(seed(3), signer.mlDsa44 && seed(4)).key
    const refuses = (changed: Sign1, key: RoleKey = signer.key): void =>
      assert.throws(() => verifySign1(CONTENT_TYPE, changed, key), { code: /^(BAD_|SIGNATURE_M)/ })
    for (let times = 0; times < 3; times++) {
      verifySign1(CONTENT_TYPE, sign1, signer.key)
      refuses({ ...sign1, payload: flipped(payload) })
      refuses({ ...sign1, signature: flipped(sign1.signature) })
      refuses(sign1, other)
      assert.throws(() => verifySign1('application/longshore-adcert+cbor', sign1, signer.key))
      const { countersignature } = sign1
      if (countersignature === undefined) continue
      refuses({ ...sign1, countersignature: flipped(countersignature) })
      refuses({ ...sign1, countersignature: undefined })
      refuses(sign1, asRoleKey(signer.key.ed25519))
    }
  }
})

test('SG20: every part of what was verified is in its digest', () => {
  const { key } = createSigner(seed(1), seed(2))
  const [signature, countersignature, message] = [new Uint8Array(64), new Uint8Array(2420), payload]
  const inputs = [
    { key, message, signature, countersignature },
    { key, message: flipped(message), signature, countersignature },
    { key, message, signature: flipped(signature), countersignature },
    { key, message, signature, countersignature: flipped(countersignature) },
    { key, message, signature, countersignature: undefined },
    { key: asRoleKey(key.ed25519), message, signature, countersignature },
    { key: asRoleKey(flipped(key.ed25519), key.mlDsa44), message, signature, countersignature },
  ]
  assert.equal(new Set(inputs.map(verdictDigest)).size, inputs.length)
})

test('SG20: so many verdicts are remembered and no more; the oldest is forgotten', () => {
  const verified = new VerifiedMessages(2)
  for (const digest of ['a', 'b', 'b', 'c']) verified.add(digest)
  assert.deepEqual([verified.has('a'), verified.has('b'), verified.has('c')], [false, true, true])
  assert.equal(verified.count, 2)
})
