/**
 * COSE_Sign1 with the countersignature of a second key.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'cborg'
import { concatBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { asRoleKey } from '../crypto/role-key.ts'
import { createSigner } from '../crypto/signer.ts'
import { signingContextOf } from '../crypto/signing-contexts.ts'
import { countersignatureMessage, createSign1, decodeSign1, verifySign1 } from './sign1.ts'

const TYPE = 'application/longshore-manifest+cbor'
const SIGNER = createSigner(new Uint8Array(32).fill(3), new Uint8Array(32).fill(4))
const PAYLOAD = encodeUtf8('a body')
const SIGNED = createSign1(TYPE, PAYLOAD, SIGNER)
const SIGN1 = decodeSign1(TYPE, SIGNED)
const COUNTERSIGNATURE_AT = 4 + 41

test('SG19: a countersigned object, part by part', () => {
  const { payload, signature, countersignature } = SIGN1
  assert.ok(countersignature !== undefined)
  const protectedHeader = SIGNED.slice(4, COUNTERSIGNATURE_AT)
  const own = encode(new Map([[1, -48]]))
  const header = new Map([[11, [own, new Map(), countersignature]]])
  const whole = encode([protectedHeader, header, PAYLOAD, signature])
  assert.deepEqual(SIGNED, concatBytes(Uint8Array.of(0xd2), whole))
  assert.deepEqual(payload, PAYLOAD)

  const message = countersignatureMessage(TYPE, PAYLOAD, signature)
  const none = new Uint8Array(0)
  const parts = ['CounterSignatureV2', protectedHeader, own, none, PAYLOAD, [signature]]
  assert.deepEqual(message, new Uint8Array(encode(parts)))
  assert.equal(signingContextOf(message), 'cose-countersignature')
  verifySign1(TYPE, SIGN1, SIGNER.key)
})

test('SG16 SG17 SG18 SG19: both signatures count, or none', () => {
  const plain = decodeSign1(
    TYPE,
    createSign1(TYPE, PAYLOAD, createSigner(new Uint8Array(32).fill(3))),
  )
  const onlyFirst = asRoleKey(SIGNER.key.ed25519)
  verifySign1(TYPE, plain, onlyFirst)
  assert.throws(() => verifySign1(TYPE, plain, SIGNER.key), { code: 'SIGNATURE_MISSING' })
  assert.throws(() => verifySign1(TYPE, SIGN1, onlyFirst), { code: 'BAD_SIGNATURE' })
  const other = decodeSign1(TYPE, createSign1(TYPE, encodeUtf8('b body'), SIGNER))
  const { countersignature } = other
  const refused = { code: 'BAD_SIGNATURE' }
  assert.throws(() => verifySign1(TYPE, { ...SIGN1, countersignature }, SIGNER.key), refused)
  assert.throws(
    () => verifySign1(TYPE, { ...SIGN1, signature: other.signature }, SIGNER.key),
    refused,
  )
})

test('SG12 SG19: every changed byte before the countersignature is refused, and every cut', () => {
  for (let at = 0; at < COUNTERSIGNATURE_AT + 12; at++) {
    const changed = SIGNED.with(at, (SIGNED[at] as number) ^ 1)
    assert.throws(() => decodeSign1(TYPE, changed), { code: 'COSE_INVALID' }, `byte ${at}`)
  }
  for (const end of [COUNTERSIGNATURE_AT, COUNTERSIGNATURE_AT + 12, 2000, SIGNED.length - 1]) {
    assert.throws(() => decodeSign1(TYPE, SIGNED.slice(0, end)), { code: 'COSE_INVALID' })
  }
})
