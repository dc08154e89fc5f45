/**
 * A part of a node that talks to other principals through sessions: the mirror, the publisher, a
 * reader. It is told what happens in its sessions and answers with what it wants done; what the
 * node itself cannot do goes on to whoever runs the node.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeAdCert,
  decodeCertChain,
  type LongshoreError,
  manifestKey,
} from '@longshore/capsule'
import type { HeldEvidence } from '../overlay/machine.ts'
import { readChain } from '../replica/chain-notes.ts'
import { isControlMessage } from '../replica/messages.ts'
import type { Mirror } from '../replica/mirror.ts'
import type { MirrorEffect, SessionPeer } from '../replica/mirror-contract.ts'
import type { Publisher } from '../replica/publisher.ts'
import type { PublisherEffect } from '../replica/publisher-contract.ts'
import type { ReaderEffect } from '../replica/reader-contract.ts'
import type { RemoteReader } from '../replica/remote-reader.ts'
import { storedManifest } from '../replica/stored-manifest.ts'
import type { Acceptance, Peer, SessionId } from '../session/events.ts'
import { nameTurns } from '../store/name-turns.ts'
import type { StoreReader } from '../store/store.ts'

export type ServiceEffect = MirrorEffect | PublisherEffect | ReaderEffect

/** Effects that a node carries out itself. */
type TalkType =
  | 'send'
  | 'consumed'
  | 'close-session'
  | 'open-session'
  | 'advertise'
  | 'seek'
  | 'withdraw'
  | 'publish'
  | 'subscribe'
  | 'unsubscribe'
export type TalkEffect = Extract<ServiceEffect, { readonly type: TalkType }>

/** Effects for whoever runs the node. */
export type ServiceNews = Exclude<ServiceEffect, TalkEffect>

export interface Service {
  /** Whether it answers for a name that somebody asks for; sessions that peers open are its. */
  readonly accept?: (target: CapsuleName) => Acceptance | undefined
  /** A session that it asked for, or (without a target) that a peer opened. */
  opened(session: SessionId, peer: Peer, target: CapsuleName | undefined): readonly ServiceEffect[]
  /** Also for a session that never opened: then the target is one that it asked for. */
  closed(
    session: SessionId,
    target: CapsuleName | undefined,
    error: LongshoreError | undefined,
  ): readonly ServiceEffect[]
  receive(session: SessionId, message: Uint8Array): readonly ServiceEffect[]
  /** Whether nothing of a message is needed after `receive`: its memory is used again. */
  isDoneWith?(message: Uint8Array): boolean
  writable?(session: SessionId): void
  /** The next messages for sessions that have room; nothing if there is nothing to do. */
  work?(): readonly ServiceEffect[]
  /** Called every few seconds at least. */
  tick?(): readonly ServiceEffect[]
  /** Published of a capsule that it subscribed to; undefined where something may be lost. */
  published?(name: CapsuleName, payload: Uint8Array | undefined): readonly ServiceEffect[]
  /** It was tried, and lost: is it still wanted? */
  wants(target: CapsuleName): boolean
  /** Who else serves a capsule that it advertises. */
  learn?(name: CapsuleName, others: readonly CapsuleName[]): readonly ServiceEffect[]
}

export interface MirrorServiceOptions {
  readonly mirror: Mirror
  readonly self: CapsuleName
  readonly store: StoreReader
}

/** A mirror as a service. It answers for the node and for every capsule that it has taken on. */
export function mirrorService({ mirror, self, store }: MirrorServiceOptions): Service {
  return {
    accept(target) {
      if (bytesEqual(target, self)) return { chain: undefined }
      const chain = ownChain(store, self, target)
      return chain && { chain }
    },
    opened: (session, peer, target) => mirror.opened(session, provenPeer(peer), !!target),
    closed(session, target) {
      mirror.closed(session)
      if (target !== undefined) mirror.unreachable(target)
      return []
    },
    receive: (session, message) => mirror.receive(session, message),
    // Entries and bodies were copied into what is stored; a manifest or a chain was not.
    isDoneWith: (message) => !isControlMessage(message),
    writable: (session) => mirror.writable(session),
    work: () => mirror.work(),
    tick: () => mirror.tick(),
    wants: () => false,
    learn: (name, others) => mirror.learn(name, others),
  }
}

/** What a mirror that starts has to advertise, in turns: everything that it took on before. */
export function* heldCapsules(
  store: StoreReader,
  self: CapsuleName,
): Iterable<readonly MirrorEffect[]> {
  for (const names of nameTurns(store)) {
    yield names.flatMap((name): MirrorEffect[] => {
      const held = heldEvidence(store, self, name)
      return held === undefined ? [] : [{ type: 'advertise', name, ...held }]
    })
  }
}

/** What shows that this node may serve a capsule; undefined if it does not, or not any more. */
export function heldEvidence(
  store: StoreReader,
  self: CapsuleName,
  name: CapsuleName,
): HeldEvidence | undefined {
  const chain = ownChain(store, self, name)
  const manifest = chain === undefined ? undefined : storedManifest(store, name)
  return chain && manifest && { manifest, chain }
}

/** What lets this node serve a capsule; not what let the one before it in the same directory. */
function ownChain(
  store: StoreReader,
  self: CapsuleName,
  name: CapsuleName,
): Uint8Array | undefined {
  const chain = readChain(store, name)
  const leaf = chain === undefined ? undefined : decodeCertChain(chain).certs[0]
  return leaf !== undefined && bytesEqual(decodeAdCert(leaf).subject, self) ? chain : undefined
}

/** A publisher as a service: it keeps a session to every mirror that it pushes to. */
export function publisherService(publisher: Publisher): Service {
  return {
    opened(session, peer) {
      const key = mirrorKeyOf(peer)
      return key === undefined ? [closing(session)] : publisher.opened(session, peer.name, key)
    },
    closed(session) {
      publisher.closed(session)
      return []
    },
    receive: (session, message) => publisher.receive(session, message),
    work: () => publisher.work(),
    wants: () => true,
  }
}

/** A reader as a service: `isWanted` says with whom it shall have a session. */
export function readerService(
  reader: RemoteReader,
  isWanted: (target: CapsuleName) => boolean,
): Service {
  return {
    opened(session, peer) {
      const { name, signedManifest } = peer
      const mirrorKey = mirrorKeyOf(peer)
      if (mirrorKey === undefined || signedManifest === undefined) return [closing(session)]
      return reader.opened(session, { name, mirrorKey, signedManifest })
    },
    closed: (session) => reader.closed(session),
    receive: (session, message) => reader.receive(session, message),
    published(_name, payload) {
      return payload === undefined ? reader.missed() : reader.published(payload)
    },
    wants: isWanted,
  }
}

function provenPeer(peer: Peer): SessionPeer {
  const mirrorKey = mirrorKeyOf(peer)
  const name = peer.manifest === undefined ? undefined : peer.name
  return mirrorKey === undefined ? { name } : { name, mirrorKey }
}

function mirrorKeyOf({ manifest }: Peer): ReturnType<typeof manifestKey> | undefined {
  return manifest?.type === 'node' ? manifestKey(manifest, 'mirror') : undefined
}

function closing(session: SessionId): TalkEffect {
  return { type: 'close-session', session }
}
