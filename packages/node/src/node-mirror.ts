/**
 * The mirror of a node: the engine's mirror over the home, the domain and the disk of this one.
 *
 * @module
 */
import { encodeCertChain, UnavailableError } from '@longshore/capsule'
import {
  createMirrorPolicy,
  Mirror,
  type MirrorPolicy,
  type NodeEngine,
  type Runtime,
} from '@longshore/engine'
import type { DiskRoom } from './disk-room.ts'
import type { NodeDomain } from './node-domain.ts'
import type { NodeHome } from './node-home.ts'

export interface NodeMirrorParts {
  readonly home: NodeHome
  readonly domain: NodeDomain
  readonly room: DiskRoom
  readonly runtime: Runtime
  readonly engine: () => NodeEngine
}

export function createNodeMirror(parts: NodeMirrorParts): Mirror {
  const { home, domain, runtime, engine } = parts
  return new Mirror({
    store: home.held.store,
    runtime,
    mirror: home.identity.mirror,
    openHeadLog: () => home.openHeadLog(),
    canSend: (session) => engine().sessions.canSend(session, true),
    hasSubscribers: (name) => engine().overlay.hasSubscribers(name),
    memberships: () => {
      const { held: membership } = domain
      return membership === undefined ? [] : [encodeCertChain(membership.chain)]
    },
    policy: createPolicy(parts),
  })
}

/** Takes on nothing that is being imported into its directory at the same time (ND21). */
function createPolicy({ home, domain, room, runtime }: NodeMirrorParts): MirrorPolicy {
  const policy = createMirrorPolicy({
    self: home.identity.name,
    domains: () => domain.names,
    runtime,
    bytesFree: () => room.freeBytes,
  })
  return {
    ...policy,
    checkOffer: (capsule, chain, peer) => {
      if (home.held.isImporting(capsule.name)) {
        throw new UnavailableError('OVERLOADED', 'the capsule is being imported here')
      }
      policy.checkOffer(capsule, chain, peer)
    },
  }
}
