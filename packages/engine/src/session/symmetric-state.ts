/**
 * The state of a Noise handshake: transcript hash, chaining key, key and nonce.
 *
 * SymmetricState and CipherState of the Noise Protocol Framework, revision 34, section 5, with its
 * function names. Rule SN6 of docs/spec/session.md.
 *
 * @module
 */
import {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  assert,
  concatBytes,
  encodeUtf8,
  type Hash,
  ProtocolError,
  sha256,
} from '@longshore/capsule'
import { hkdfSha256, isOpenedInPlace, sealInPlace } from '@longshore/capsule/session-crypto'

const PROTOCOL_NAME = 'Noise_NNsig_25519_ChaChaPoly_SHA256'
const NOTHING: Uint8Array = new Uint8Array(0)

export class SymmetricState {
  #h: Hash
  #ck: Uint8Array
  #k: Uint8Array | undefined
  #n = 0

  constructor(prologue: Uint8Array) {
    this.#h = sha256(encodeUtf8(PROTOCOL_NAME))
    this.#ck = this.#h
    this.mixHash(prologue)
  }

  /** An answer that turns out to be forged must not have touched the state. */
  copy(): SymmetricState {
    const copy = new SymmetricState(NOTHING)
    copy.#h = this.#h
    copy.#ck = this.#ck
    copy.#k = this.#k
    copy.#n = this.#n
    return copy
  }

  get hash(): Hash {
    return this.#h
  }

  mixHash(data: Uint8Array): void {
    this.#h = sha256(concatBytes(this.#h, data))
  }

  mixKey(secret: Uint8Array): void {
    const keys = hkdfSha256(this.#ck, secret, NOTHING, 2 * AEAD_KEY_BYTES)
    this.#ck = keys.slice(0, AEAD_KEY_BYTES)
    this.#k = keys.slice(AEAD_KEY_BYTES)
    this.#n = 0
  }

  encryptAndHash(plain: Uint8Array): Uint8Array {
    assert(this.#k !== undefined, 'nothing is encrypted before a key is mixed in')
    const sealed = new Uint8Array(plain.length + AEAD_TAG_BYTES)
    sealed.set(plain)
    sealInPlace(this.#k, this.#n++, this.#h, sealed, 0, plain.length)
    this.mixHash(sealed)
    return sealed
  }

  /** @throws {ProtocolError} `SESSION_INVALID` */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    assert(this.#k !== undefined, 'nothing is decrypted before a key is mixed in')
    const plain = sealed.slice()
    if (!isOpenedInPlace(this.#k, this.#n, this.#h, plain, 0, plain.length)) {
      throw new ProtocolError('SESSION_INVALID', 'a handshake packet is not of this handshake')
    }
    this.#n++
    this.mixHash(sealed)
    return plain.subarray(0, plain.length - AEAD_TAG_BYTES)
  }

  /** The keys from initiator to responder, and back. */
  split(): { readonly toResponder: Uint8Array; readonly toInitiator: Uint8Array } {
    const keys = hkdfSha256(this.#ck, NOTHING, NOTHING, 2 * AEAD_KEY_BYTES)
    const toResponder = keys.slice(0, AEAD_KEY_BYTES)
    return { toResponder, toInitiator: keys.slice(AEAD_KEY_BYTES) }
  }
}
