/**
 * The handshake: who is there, and the keys of a session.
 *
 *     NNsig:   -> e            init
 *              <- e, ee, sig   reply: the responder proves itself
 *              -> sig          finish: the initiator proves itself, or stays anonymous
 *
 * Pattern NN of the Noise Protocol Framework; `sig` is a signature by an identity key over the
 * transcript, inside the encrypted payload (SIGMA-I). The transcript begins with the context of
 * sessions, the initiator's name and the name that it asks for; the version and suite lists are
 * in the payload of `init`, so nobody can strip one without being noticed. Rules SN5 to SN9 of
 * docs/spec/session.md; decision F28.
 *
 * @module
 */
import {
  assert,
  bytesEqual,
  type CapsuleName,
  concatBytes,
  ProtocolError,
  signingContextBytes,
  VerificationError,
  X25519_BYTES,
} from '@longshore/capsule'
import { x25519, x25519PublicKey } from '@longshore/capsule/session-crypto'
import type { NodeIdentity } from '../node/principal.ts'
import type { Acceptance, Peer } from './events.ts'
import {
  decodeInitiatorProof,
  decodeResponderProof,
  encodeInitiatorProof,
  encodeResponderProof,
  signProof,
  verifyProof,
} from './identity-proof.ts'
import { CHAIN_BYTES_MAX } from './limits.ts'
import {
  encodeFinish,
  encodeInit,
  encodeReply,
  type InitPacket,
  type Offer,
  type ReplyPacket,
  replyChoice,
} from './packet.ts'
import { SymmetricState } from './symmetric-state.ts'

export const VERSION = 1
/** X25519, Ed25519, ChaCha20-Poly1305, SHA-256. */
export const SUITE = 1
export const OFFER: Offer = { versions: [VERSION], suites: [SUITE] }

const NO_COOKIE: Uint8Array = new Uint8Array(0)

/** Keys and indices of a finished handshake, from where this end stands. */
export interface Agreement {
  readonly peer: Peer
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  /** The index that the peer gave to the session. */
  readonly peerIndex: number
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}

function startTranscript(source: CapsuleName, target: CapsuleName): SymmetricState {
  return new SymmetricState(concatBytes(signingContextBytes('session'), source, target))
}

/** Tokens and payload of `init`: the ephemeral key, then everything after it. */
function mixInit(state: SymmetricState, packet: Uint8Array): void {
  state.mixHash(packet.subarray(1, 1 + X25519_BYTES))
  state.mixHash(packet.subarray(1 + X25519_BYTES))
}

function mixReply(
  state: SymmetricState,
  reply: Omit<ReplyPacket, 'sealed'>,
  shared: Uint8Array,
): void {
  state.mixHash(replyChoice(reply))
  state.mixHash(reply.ephemeral)
  state.mixKey(shared)
}

export interface InitiatorStart {
  readonly identity: NodeIdentity
  readonly target: CapsuleName
  readonly isAnonymous: boolean
  readonly index: number
  /** 32 random bytes, for this handshake only. */
  readonly secret: Uint8Array
}

/** The initiator's side. */
export class Initiator {
  readonly #start: InitiatorStart
  readonly ephemeral: Uint8Array
  #state: SymmetricState
  #packet: Uint8Array

  constructor(start: InitiatorStart) {
    this.#start = start
    this.ephemeral = x25519PublicKey(start.secret)
    const { state, packet } = this.#begin(NO_COOKIE)
    this.#state = state
    this.#packet = packet
  }

  /** The packet to send, and to send again until an answer comes. */
  get packet(): Uint8Array {
    return this.#packet
  }

  /** Begins again with what a responder asked to see. */
  useCookie(cookie: Uint8Array): void {
    const { state, packet } = this.#begin(cookie)
    this.#state = state
    this.#packet = packet
  }

  #begin(cookie: Uint8Array): { state: SymmetricState; packet: Uint8Array } {
    const { identity, target, index } = this.#start
    const packet = encodeInit({ ephemeral: this.ephemeral, index, offer: OFFER, cookie })
    const state = startTranscript(identity.name, target)
    mixInit(state, packet)
    return { state, packet }
  }

  /**
   * Verifies the responder and answers it. A reply that is refused changes nothing: the true one
   * may still come.
   *
   * @throws {ProtocolError} `SESSION_INVALID`
   * @throws {VerificationError} `NAME_MISMATCH` if a principal answers for another name without a
   * chain; `BAD_KEY`, `BAD_SIGNATURE` and the codes of `openManifest`.
   */
  read(reply: ReplyPacket): Agreement & { readonly finish: Uint8Array } {
    const { identity, target, isAnonymous, secret } = this.#start
    if (reply.version !== VERSION || reply.suite !== SUITE) fail('a choice that was not offered')
    const state = this.#state.copy()
    mixReply(state, reply, x25519(secret, reply.ephemeral))
    const transcript = state.hash
    const proof = decodeResponderProof(state.decryptAndHash(reply.sealed))
    const { name, manifest } = verifyProof('responder', transcript, proof)
    if (proof.chain === undefined && !bytesEqual(name, target)) {
      throw new VerificationError('NAME_MISMATCH', 'another principal answered, without a chain')
    }
    const own = isAnonymous
      ? undefined
      : {
          signedManifest: identity.signedManifest,
          signature: signProof('initiator', state.hash, identity),
        }
    const sealed = state.encryptAndHash(encodeInitiatorProof(own))
    const { toResponder, toInitiator } = state.split()
    secret.fill(0)
    return {
      peer: { name, manifest, signedManifest: proof.signedManifest, chain: proof.chain },
      ...{ sendKey: toResponder, receiveKey: toInitiator, peerIndex: reply.index },
      finish: encodeFinish(reply.index, sealed),
    }
  }
}

export interface ResponderStart {
  readonly identity: NodeIdentity
  readonly source: CapsuleName
  readonly target: CapsuleName
  readonly acceptance: Acceptance
  readonly init: InitPacket
  /** The bytes of `init`. */
  readonly packet: Uint8Array
  readonly index: number
  readonly secret: Uint8Array
}

/** The responder's side, after it has answered. */
export class Responder {
  readonly #state: SymmetricState
  readonly #source: CapsuleName
  readonly #peerIndex: number
  /** To be sent, and sent again if `init` comes again. */
  readonly reply: Uint8Array

  /** @throws {VerificationError} `BAD_KEY` if the initiator's key has small order. */
  constructor(start: ResponderStart) {
    const { identity, init, index, secret, acceptance } = start
    assert((acceptance.chain?.length ?? 0) <= CHAIN_BYTES_MAX, 'a chain has at most 128 KiB')
    const state = startTranscript(start.source, start.target)
    mixInit(state, start.packet)
    const shared = x25519(secret, init.ephemeral)
    const choice = {
      ...{ receiver: init.index, index, version: VERSION, suite: SUITE },
      ephemeral: x25519PublicKey(secret),
    }
    secret.fill(0)
    mixReply(state, choice, shared)
    const proof = encodeResponderProof({
      signedManifest: identity.signedManifest,
      chain: acceptance.chain,
      requiresIdentity: acceptance.requiresIdentity ?? false,
      signature: signProof('responder', state.hash, identity),
    })
    this.reply = encodeReply({ ...choice, sealed: state.encryptAndHash(proof) })
    this.#state = state
    this.#source = start.source
    this.#peerIndex = init.index
  }

  /**
   * Verifies what the initiator says about itself.
   *
   * @throws {ProtocolError} `SESSION_INVALID`
   * @throws {VerificationError} `NAME_MISMATCH` if it is not the principal that its packets come
   * from; `BAD_SIGNATURE` and the codes of `openManifest`.
   */
  read(sealed: Uint8Array): Agreement {
    const state = this.#state.copy()
    const transcript = state.hash
    const proof = decodeInitiatorProof(state.decryptAndHash(sealed))
    const proven = proof === undefined ? undefined : verifyProof('initiator', transcript, proof)
    if (proven !== undefined && !bytesEqual(proven.name, this.#source)) {
      throw new VerificationError('NAME_MISMATCH', 'the initiator proves another name than its own')
    }
    const { toResponder, toInitiator } = state.split()
    return {
      peer: {
        name: this.#source,
        manifest: proven?.manifest,
        signedManifest: proof?.signedManifest,
        chain: undefined,
      },
      ...{ sendKey: toInitiator, receiveKey: toResponder, peerIndex: this.#peerIndex },
    }
  }
}
