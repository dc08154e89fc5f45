/**
 * A second implementation of sessions, by node:crypto alone: the Noise handshake and sealed
 * packets, written from docs/spec/session.md.
 */
import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto'
import { bigEndian, concat, sha256, unhex, utf8 } from './bytes.mjs'

const PRIVATE_PREFIX = unhex('302e020100300506032b656e04220420')
const PUBLIC_PREFIX = unhex('302a300506032b656e032100')
const CONTEXT = utf8('longshore-session/v1\n')

function privateKey(secret) {
  const der = Buffer.from(concat(PRIVATE_PREFIX, secret))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function publicKeyOf(secret) {
  const spki = createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(PUBLIC_PREFIX.length))
}

function agree(secret, publicKey) {
  const der = Buffer.from(concat(PUBLIC_PREFIX, publicKey))
  const peer = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return new Uint8Array(diffieHellman({ privateKey: privateKey(secret), publicKey: peer }))
}

function hmac(key, ...parts) {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}

/** HKDF of the Noise framework, section 4.3, with two outputs. */
function noiseHkdf(chainingKey, input) {
  const extracted = hmac(chainingKey, input)
  const first = hmac(extracted, Uint8Array.of(1))
  return [first, hmac(extracted, first, Uint8Array.of(2))]
}

/** Ciphertext and tag; the nonce of Noise's ChaChaPoly. */
function seal(key, counter, associated, plain) {
  const nonce = concat(new Uint8Array(4), bigEndian(counter, 8).reverse())
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  cipher.setAAD(associated, { plaintextLength: plain.length })
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
}

/** SymmetricState of the Noise framework, section 5.2, with its names. */
class SymmetricState {
  constructor(prologue) {
    this.h = sha256(utf8('Noise_NNsig_25519_ChaChaPoly_SHA256'))
    this.ck = this.h
    this.mixHash(prologue)
  }

  mixHash(data) {
    this.h = sha256(this.h, data)
  }

  mixKey(input) {
    ;[this.ck, this.k] = noiseHkdf(this.ck, input)
    this.n = 0
  }

  encryptAndHash(plain) {
    const sealed = seal(this.k, this.n++, this.h, plain)
    this.mixHash(sealed)
    return sealed
  }

  split() {
    return noiseHkdf(this.ck, new Uint8Array(0))
  }
}

const list = (numbers) => Uint8Array.of(numbers.length, ...numbers)
const withLength = (bytes) => concat(bigEndian(bytes.length, 4), bytes)

export function initPacket({ secret, index, versions = [1], suites = [1], cookie = '' }) {
  const parts = [bigEndian(index, 4), list(versions), list(suites), unhex(cookie)]
  return concat(Uint8Array.of(1), publicKeyOf(secret), ...parts)
}

function proofSignature(role, state, node) {
  const message = concat(CONTEXT, Uint8Array.of(role), state.h, node.name)
  return node.identity.sign(message)
}

/**
 * A whole handshake between two nodes `{ name, signed, identity }`. `initiator` and `responder` are
 * `{ node, secret, index }`; whatever is given in `changes` is wrong on purpose.
 */
export function handshake({
  initiator,
  responder,
  target,
  init,
  chain,
  flags,
  anonymous,
  changes,
}) {
  const wrong = changes ?? {}
  const state = new SymmetricState(concat(CONTEXT, initiator.node.name, target))
  state.mixHash(init.subarray(1, 33))
  state.mixHash(init.subarray(33))
  const choice = concat(
    ...[Uint8Array.of(2), bigEndian(initiator.index, 4), bigEndian(responder.index, 4)],
    Uint8Array.of(wrong.version ?? 1, wrong.suite ?? 1),
  )
  const ephemeral = publicKeyOf(responder.secret)
  state.mixHash(choice)
  state.mixHash(ephemeral)
  state.mixKey(agree(initiator.secret, ephemeral))
  const proof = concat(
    ...[Uint8Array.of(flags ?? (chain === undefined ? 0 : 1)), withLength(responder.node.signed)],
    ...(chain === undefined ? [] : [withLength(chain)]),
    proofSignature(wrong.role ?? 2, state, wrong.signer ?? responder.node),
    wrong.trailing ?? new Uint8Array(0),
  )
  const reply = concat(choice, ephemeral, state.encryptAndHash(proof))
  const own = anonymous
    ? Uint8Array.of(0)
    : concat(
        ...[Uint8Array.of(1), withLength(initiator.node.signed)],
        proofSignature(1, state, initiator.node),
      )
  const header = concat(Uint8Array.of(3), bigEndian(responder.index, 4))
  const finish = concat(header, state.encryptAndHash(own))
  const [toResponder, toInitiator] = state.split()
  return { reply, finish, toResponder, toInitiator }
}

/** The key of a packet: replaced each `rekeyPackets` packets. */
function keyAt(key, counter, rekeyPackets) {
  let current = key
  for (let period = Math.floor(counter / rekeyPackets); period > 0; period -= 1) {
    const extracted = hmac(new Uint8Array(32), current)
    current = hmac(extracted, utf8('longshore-session/v1 rekey'), Uint8Array.of(1))
  }
  return current
}

/** A packet of type `sealed`. */
export function sealedPacket(
  { key, counter, receiver, source, destination, rekeyPackets },
  content,
) {
  const header = concat(Uint8Array.of(4), bigEndian(receiver, 4), bigEndian(counter, 8))
  const associated = concat(header, source, destination)
  return concat(header, seal(keyAt(key, counter, rekeyPackets), counter, associated, content))
}

/** Content without a chunk and without bitmaps; `more` follows, and `flags` say what it is. */
export function content(flags, [urgentNext, urgentCredit, bulkNext, bulkCredit], ...more) {
  const counts = [urgentNext, urgentCredit, bulkNext, bulkCredit].map((n) => bigEndian(n, 6))
  return concat(Uint8Array.of(flags), ...counts, ...more)
}

export const sequence = (number) => bigEndian(number, 6)
