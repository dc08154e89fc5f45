/** Sessions: handshakes with fixed secrets, what they seal, and what must be refused. */
import { concat, derived, filled, flipBit, sha256, utf8 } from './bytes.mjs'
import { key } from './keys.mjs'
import { nodeManifest, signedManifest } from './manifests.mjs'
import { content, handshake, initPacket, sealedPacket, sequence } from './sessions.mjs'
import { VectorFile } from './vector-file.mjs'

const MIB = 1_048_576
const FRESH = [0, 2 * MIB, 0, 16 * MIB]
const REKEY_PACKETS = 3

function node(label) {
  const { name, signed } = signedManifest(nodeManifest(label))
  return { label, name, signed, identity: key(`${label} identity`) }
}

const A = node('session initiator')
const B = node('session responder')
const C = node('session stranger')
const CAPSULE = sha256(utf8('session capsule'))
const CHAIN = derived('session chain', 50)

const initiator = { node: A, secret: derived('session initiator secret', 32), index: 0x01020304 }
const responder = { node: B, secret: derived('session responder secret', 32), index: 0xfefdfcfb }

const seedOf = ({ label }) => derived(`key ${label} identity`, 32)

/** What a test needs to play both ends. */
const PARTIES = {
  initiatorManifest: A.signed,
  initiatorSeed: seedOf(A),
  initiatorSecret: initiator.secret,
  initiatorIndex: initiator.index,
  responderManifest: B.signed,
  responderSeed: seedOf(B),
  responderSecret: responder.secret,
  responderIndex: responder.index,
}

function begin(options = {}) {
  const init = options.init ?? initPacket(initiator)
  const target = options.target ?? B.name
  return { init, target, ...handshake({ initiator, responder, init, target, ...options }) }
}

function inwards(keys, counter) {
  return {
    ...{ key: keys.toResponder, counter, receiver: responder.index },
    ...{ source: A.name, destination: B.name, rekeyPackets: REKEY_PACKETS },
  }
}

/** The responder's first packet: it has received nothing yet. */
function confirmation(keys) {
  return sealedPacket(
    {
      ...{ key: keys.toInitiator, counter: 0, receiver: initiator.index },
      ...{ source: B.name, destination: A.name, rekeyPackets: REKEY_PACKETS },
    },
    content(0, FRESH),
  )
}

/** One small message in each packet, urgent and bulk in turn, across two changes of the key. */
function conversation(keys) {
  return Array.from({ length: 8 }, (_, counter) => {
    const message = derived(`session message ${counter}`, 20 + counter)
    const isBulk = counter % 2 === 1
    const flags = isBulk ? 0x07 : 0x05
    const number = sequence(Math.floor(counter / 2))
    const packet = sealedPacket(inwards(keys, counter), content(flags, FRESH, number, message))
    return { message, isBulk, packet }
  })
}

function addHandshakes(file) {
  for (const [id, comment, options] of [
    ['plain', 'both prove who they are', {}],
    ['anonymous', 'the initiator stays anonymous', { anonymous: true }],
    ['capsule', 'a capsule, with a chain', { target: CAPSULE, chain: CHAIN }],
  ]) {
    const session = begin(options)
    const { init, target, reply, finish, toResponder, toInitiator } = session
    file.valid(`handshake-${id}`, comment, {
      ...{ kind: 'handshake', ...PARTIES, target, chain: options.chain ?? null },
      ...{ isAnonymous: options.anonymous ?? false, init, reply, finish },
      ...{ toResponder, toInitiator, rekeyPackets: REKEY_PACKETS },
      ...{ confirmation: confirmation(session), messages: conversation(session) },
    })
  }
}

function refusedReplies() {
  const { reply } = begin()
  const change = (changes) => begin({ changes }).reply
  const strange = { ...responder, node: C }
  const smallOrder = concat(reply.slice(0, 11), filled(32, 0), reply.slice(43))
  const stripped = begin({ init: initPacket({ ...initiator, versions: [1, 2] }) }).reply
  const suites = begin({ init: initPacket({ ...initiator, suites: [1, 7] }) }).reply
  const INVALID = 'SESSION_INVALID'
  return [
    ['tag', 'a bit of the tag', INVALID, flipBit(reply, reply.length - 1)],
    ['sealed', 'a bit of what is sealed', INVALID, flipBit(reply, 60)],
    ['index', 'a bit of the responder index', INVALID, flipBit(reply, 8)],
    ['ephemeral', 'a bit of the ephemeral key', INVALID, flipBit(reply, 20)],
    ['version', 'a version that was not offered', INVALID, change({ version: 2 })],
    ['suite', 'a suite that was not offered', INVALID, change({ suite: 2 })],
    ['stripped-version', 'the responder saw another version list', INVALID, stripped],
    ['stripped-suite', 'the responder saw another suite list', INVALID, suites],
    [
      'target',
      'the responder was asked for another name',
      INVALID,
      begin({ target: CAPSULE }).reply,
    ],
    ['small-order', 'an ephemeral key of small order', 'BAD_KEY', smallOrder],
    ['signer', 'signed by a stranger', 'BAD_SIGNATURE', change({ signer: C })],
    ['role', 'signed as an initiator', 'BAD_SIGNATURE', change({ role: 1 })],
    ['name', 'another node, without a chain', 'NAME_MISMATCH', begin({ responder: strange }).reply],
    ['trailing', 'a byte after the signature', INVALID, change({ trailing: filled(1, 0) })],
    ['flags', 'an unknown flag', INVALID, begin({ flags: 4 }).reply],
    ['no-chain', 'a flag for a chain that is not there', INVALID, begin({ flags: 1 }).reply],
  ]
}

function refusedContents() {
  const message = derived('session message', 30)
  const chunk = (flags, bytes) => content(flags, FRESH, sequence(0), bytes)
  const none = filled(16, 0)
  return [
    ['empty', 'nothing', new Uint8Array(0)],
    ['cut', 'a byte too short', content(0, FRESH).slice(0, 24)],
    ['flag-40', 'an unknown flag', content(0x40, FRESH)],
    ['bulk-alone', 'a bulk flag without a chunk', content(0x02, FRESH)],
    ['last-alone', 'an end of a message without a chunk', content(0x04, FRESH)],
    ['trailing', 'a byte too many', content(0, FRESH, filled(1, 0))],
    ['no-sequence', 'a chunk flag and nothing', content(0x05, FRESH)],
    ['empty-chunk', 'a chunk without a byte', chunk(0x05, new Uint8Array(0))],
    ['short-chunk', 'a short chunk in the middle of a message', chunk(0x01, message)],
    ['long-chunk', 'a chunk of 32769 bytes', chunk(0x05, filled(32769, 1))],
    ['bitmaps-zero', 'bitmaps without a bit', content(0x10, FRESH, none)],
    ['bitmaps-cut', 'bitmaps of 15 bytes', content(0x10, FRESH, filled(15, 1))],
    ['close-none', 'a close flag and no code', content(0x20, FRESH)],
    ['close-unknown', 'an unknown close code', content(0x20, FRESH, Uint8Array.of(5))],
    [
      'close-chunk',
      'a chunk in a closing packet',
      content(0x25, FRESH, Uint8Array.of(0), sequence(0), message),
    ],
    ['next-urgent', 'an acknowledgement of what was not sent', content(0, [1, 0, 0, 0])],
    ['next-bulk', 'the same in the bulk stream', content(0, [0, 0, 1, 0])],
    [
      'bitmap-urgent',
      'a bitmap of what was not sent',
      content(0x10, FRESH, filled(7, 0), filled(1, 1), filled(8, 0)),
    ],
  ]
}

export function sessionVectors() {
  const file = new VectorFile(
    'session',
    'Sessions between two nodes whose identity keys come from the seeds. kind handshake: with these secrets and indices the packets are these, byte for byte, up to the first sealed packet of the responder; the initiator then seals the messages (rekeyPackets instead of 2^22). kind reply: the initiator refuses this answer to the init of handshake-plain. kind sealed: after handshake-plain the responder ends the session at this packet of the initiator, whose counter is 0.',
  )
  addHandshakes(file)
  for (const [id, comment, code, reply] of refusedReplies()) {
    file.invalid(`bad-reply-${id}`, comment, code, { kind: 'reply', reply })
  }
  const keys = begin()
  for (const [id, comment, bytes] of refusedContents()) {
    const packet = sealedPacket(inwards(keys, 0), bytes)
    file.invalid(`bad-sealed-${id}`, comment, 'SESSION_INVALID', { kind: 'sealed', packet })
  }
  return file
}
