/**
 * Follows a capsule that a mirror holds, as a node of its own with one link.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, MAIN_BRANCH, parseTicket } from '@longshore/capsule'
import { createNodeRuntime, openNodeNetwork } from '@longshore/client/node'
import {
  type EntryBatch,
  RemoteReader,
  readerService,
  SESSION_LIMITS,
  type ServiceNews,
} from '@longshore/engine'

const SERVICE = 'reader'
const FOLLOW = 1

/** Through a session with the mirror, or along the tree, which is the same bytes for everybody. */
export type Way = 'session' | 'tree'

export interface FollowOptions {
  /** Of the neighbor. */
  readonly ticket: string
  readonly mirror: CapsuleName
  readonly name: CapsuleName
  readonly way: Way
  /** Entries up to `size` are delivered, verified. */
  readonly onEntries: (entries: EntryBatch, size: number) => void
}

export interface Following {
  /** Asks the mirror what was missed. */
  refresh(): void
  /** That came over the link so far. */
  readonly receivedBytes: number
}

export function follow({ ticket, mirror, name, way, onEntries }: FollowOptions): Following {
  const runtime = createNodeRuntime()
  const reader = new RemoteReader({
    ...{ name, branch: MAIN_BRANCH, nowUs: () => runtime.nowUs() },
    usesMulticast: way === 'tree',
  })
  // With thousands of followers in a process those of a home would mostly measure keepalives.
  const sessionLimits = SESSION_LIMITS
  const network = openNodeNetwork({ runtime, tickets: [parseTicket(ticket)], sessionLimits })
  const onNews = (news: ServiceNews): void => {
    if (news.type === 'entries') onEntries(news.entries, news.start + news.entries.count)
    else if (news.type === 'failed' || news.type === 'distrusted') throw news.error
  }
  network.add(
    SERVICE,
    readerService(reader, (target) => bytesEqual(target, mirror)),
    onNews,
  )
  network.run(SERVICE, [{ type: 'open-session', target: mirror }, ...reader.follow(FOLLOW, 0)])
  return {
    refresh: () => network.run(SERVICE, [...reader.refresh(), ...reader.check()]),
    get receivedBytes() {
      let bytes = 0
      for (const link of network.engine.overlay.links) bytes += link.receivedBytes
      return bytes
    },
  }
}
