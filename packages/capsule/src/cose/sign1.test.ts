import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '../bytes/bytes.ts'
import { parseHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { type CborValue, encodeCbor } from '../cbor/cbor.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { createSigner } from '../crypto/signer.ts'
import { createSign1, decodeSign1, sign1Message } from './sign1.ts'

const TYPE = 'application/longshore-manifest+cbor'
const SIGNER = createSigner(new Uint8Array(32).fill(3))
const PAYLOAD = encodeUtf8('a body')
const SIGNED = createSign1(TYPE, PAYLOAD, SIGNER)
/** Tag, array, protected header. */
const PROTECTED_BYTES = 2 + 2 + 41
const protectedHeader = SIGNED.slice(4, PROTECTED_BYTES)
const { signature } = decodeSign1(TYPE, SIGNED)

function messageOf(fields: readonly CborValue[]): Uint8Array {
  return concatBytes(Uint8Array.of(0xd2), encodeCbor(fields))
}

test('SG10 SG11: a signed object, part by part', () => {
  assert.deepEqual(messageOf([protectedHeader, new Map(), PAYLOAD, signature]), SIGNED)
  const beginning = concatBytes(
    parseHex('a2013203') as Uint8Array,
    Uint8Array.of(0x78, TYPE.length),
  )
  assert.deepEqual(protectedHeader, concatBytes(beginning, encodeUtf8(TYPE)))
  assert.deepEqual(decodeSign1(TYPE, SIGNED), {
    payload: PAYLOAD,
    signature,
    countersignature: undefined,
  })
  verifySignature(SIGNER.publicKey, sign1Message(TYPE, PAYLOAD), signature)
  const structure = ['Signature1', protectedHeader, new Uint8Array(0), PAYLOAD]
  assert.deepEqual(sign1Message(TYPE, PAYLOAD), encodeCbor(structure))
})

test('SG12: nothing stands in the unprotected header, not even what a reader would ignore', () => {
  for (const unprotected of [
    new Map([['x', 1]]),
    new Map([['', null]]),
    [],
    new Uint8Array([0xa0]),
    null,
  ]) {
    const bytes = messageOf([protectedHeader, unprotected, PAYLOAD, signature])
    assert.throws(() => decodeSign1(TYPE, bytes), { code: 'COSE_INVALID' })
  }
})

test('SG10 SG12: the tag, the number of parts and their types', () => {
  const untagged = SIGNED.slice(1)
  const longer = Uint8Array.of(0xd8, 18, ...untagged)
  const wrong = [
    untagged,
    longer,
    SIGNED.with(0, 0xd1),
    new Uint8Array(0),
    messageOf([protectedHeader, new Map(), PAYLOAD]),
    messageOf([protectedHeader, new Map(), PAYLOAD, signature, null]),
    messageOf([protectedHeader, new Map(), null, signature]),
    messageOf([protectedHeader, new Map(), PAYLOAD, signature.slice(1)]),
    messageOf([protectedHeader, new Map(), PAYLOAD, 'x'.repeat(64)]),
    messageOf([protectedHeader.slice(1), new Map(), PAYLOAD, signature]),
    messageOf([new Uint8Array(0), new Map(), PAYLOAD, signature]),
  ]
  for (const bytes of wrong) {
    assert.throws(() => decodeSign1(TYPE, bytes), { code: 'COSE_INVALID' })
  }
})
