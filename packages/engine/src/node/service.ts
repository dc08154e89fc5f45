/**
 * A part of a node that talks to other principals through sessions: the mirror, the publisher, a
 * reader. It is told what happens in its sessions and answers with what it wants done; what the
 * node itself cannot do goes on to whoever runs the node.
 *
 * @module
 */
import { type CapsuleName, type LongshoreError, manifestKey } from '@longshore/capsule'
import type { Mirror } from '../replica/mirror.ts'
import type { MirrorEffect } from '../replica/mirror-contract.ts'
import type { Publisher, PublisherEffect } from '../replica/publisher.ts'
import type { Acceptance, Peer, SessionId } from '../session/events.ts'

export type ServiceEffect = MirrorEffect | PublisherEffect

/** Effects that a node carries out itself. */
export type TalkEffect = Extract<
  ServiceEffect,
  {
    readonly type: 'send' | 'consumed' | 'close-session' | 'open-session' | 'advertise' | 'publish'
  }
>

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
  writable(session: SessionId): void
  /** The next messages for sessions that have room; nothing if there is nothing to do. */
  work(): readonly ServiceEffect[]
  /** It was tried, and lost: is it still wanted? */
  wants(target: CapsuleName): boolean
}

/** A mirror as a service. `accept` says for which names the node answers, and with which chain. */
export function mirrorService(
  mirror: Mirror,
  accept: (target: CapsuleName) => Acceptance | undefined,
): Service {
  return {
    accept,
    opened: (session, peer, target) => {
      const name = peer.manifest === undefined ? undefined : peer.name
      return mirror.opened(session, { name }, target !== undefined)
    },
    closed: (session) => {
      mirror.closed(session)
      return []
    },
    receive: (session, message) => mirror.receive(session, message),
    writable: (session) => mirror.writable(session),
    work: () => mirror.work(),
    wants: () => false,
  }
}

/** A publisher as a service: it keeps a session to every mirror that it pushes to. */
export function publisherService(publisher: Publisher): Service {
  return {
    opened: (session, peer) => {
      if (peer.manifest === undefined || peer.manifest.type !== 'node') return []
      return publisher.opened(session, peer.name, manifestKey(peer.manifest, 'mirror'))
    },
    closed: (session) => {
      publisher.closed(session)
      return []
    },
    receive: (session, message) => publisher.receive(session, message),
    writable: () => {},
    work: () => publisher.work(),
    wants: () => true,
  }
}
