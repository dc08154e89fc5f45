/**
 * ML-DSA-44 (FIPS 204) by node:crypto, and the messages that roles with two keys sign with it.
 *
 * @module
 */
import { createPublicKey, verify } from 'node:crypto'
import { require } from './refuse.ts'

const SPKI_PREFIX = Buffer.from('30820532300b06096086480165030403110382052100', 'hex')

export function checkMlDsa44(key: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  require(key.length === 1312 && signature.length === 2420, 'wrong length of key or signature')
  const spki = Buffer.concat([SPKI_PREFIX, key])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  require(verify(null, message, publicKey, signature), 'the ML-DSA-44 signature does not hold')
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** `cosigned_message` of C2SP tlog-cosignature, for a tree from its first entry on. */
export function cosignedMessage(
  cosigner: string,
  timeS: number,
  tree: { readonly origin: string; readonly size: number; readonly root: Uint8Array },
): Uint8Array {
  const [name, origin] = [Buffer.from(cosigner), Buffer.from(tree.origin)]
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    ...[Buffer.from([name.length]), name, u64(timeS)],
    ...[Buffer.from([origin.length]), origin, u64(0), u64(tree.size), tree.root],
  ])
}
