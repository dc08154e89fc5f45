/**
 * Judging a hello: is the other end the node that it says it is, and the one that we wanted?
 *
 * The connection has proven its TLS key; the manifest, which its owner signed, lists the same key.
 * So the name of the manifest is the name of the peer. Rules OV5 and OV6 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  bytesEqual,
  decodeCertChain,
  manifestKey,
  openManifest,
  ProtocolError,
  type SignedManifest,
  UnavailableError,
  verifyMemberChain,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import { Fields, type Hello, readHello, VERSION } from './control-frame.ts'
import { AT_TYPE, HELLO } from './frame.ts'
import type { Link, Peer } from './link.ts'
import type { Machine } from './machine.ts'

const HELLO_FIELDS = 7

/**
 * The peer that a hello in `bytes[start, end)` shows.
 *
 * @throws {ProtocolError} `HELLO_INVALID`, `PROTOCOL_VERSION`, `PROTOCOL_ERROR`, `FRAME_INVALID`
 * @throws {UnavailableError} `NODE_MISMATCH` if another node answers than the one dialled.
 * @throws {VerificationError} for a manifest or a membership that does not hold.
 */
export function openHello(
  machine: Machine,
  link: Link,
  bytes: Uint8Array,
  start: number,
  end: number,
): Peer {
  if (bytes[start + AT_TYPE] !== HELLO || link.peer !== undefined) {
    throw new ProtocolError('PROTOCOL_ERROR', 'a hello is the first frame and comes once')
  }
  const hello = readHello(Fields.ofFrame(bytes, start, end, HELLO_FIELDS))
  if (hello.versionMin > VERSION || hello.versionMax < VERSION) {
    throw new ProtocolError('PROTOCOL_VERSION', 'the two sides have no version in common', {
      ...{ ours: VERSION, theirsMin: hello.versionMin, theirsMax: hello.versionMax },
    })
  }
  const manifest = openManifest(hello.signedManifest)
  checkIsPeer(machine, link, manifest)
  const { nonce, membership, addresses, isRouter } = hello
  const { name } = manifest
  const peer = { name, key: nameKey(name), manifest, nonce, membership, addresses, isRouter }
  return { ...peer, ...openMembership(machine, hello, manifest) }
}

function checkIsPeer(machine: Machine, link: Link, manifest: SignedManifest): void {
  if (manifest.manifest.type !== 'node') {
    throw new ProtocolError('HELLO_INVALID', 'only nodes have links')
  }
  if (!bytesEqual(manifestKey(manifest.manifest, 'tls').ed25519, link.peerTlsKey)) {
    throw new ProtocolError('HELLO_INVALID', 'the manifest lists another TLS key')
  }
  if (link.join !== undefined && !bytesEqual(link.join.ticket.name, manifest.name)) {
    throw new UnavailableError('NODE_MISMATCH', 'another node answers than the one dialled')
  }
  if (bytesEqual(manifest.name, machine.name)) {
    throw new ProtocolError('HELLO_INVALID', 'the other end is this node itself')
  }
}

function openMembership(
  machine: Machine,
  { membership, isRouter }: Hello,
  { name }: SignedManifest,
): Pick<Peer, 'domain' | 'domainNotAfterS'> {
  if (membership === null) return { domain: undefined, domainNotAfterS: 0 }
  const { notAfterS } = verifyMemberChain(decodeCertChain(membership.chain), {
    ...{ domain: membership.domain, subject: name, atS: machine.nowS },
    // What the domain counts for here: whose traffic a router carries, who asks otherwise.
    right: isRouter ? 'route' : 'lookup',
  })
  return { domain: membership.domain, domainNotAfterS: notAfterS }
}
