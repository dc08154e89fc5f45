/**
 * Mirrors that talk with each other by hand: sessions between all of them, messages delivered or
 * lost, until everybody is silent.
 *
 * @module
 */
import { MAIN_BRANCH } from '@longshore/capsule'
import { createChainNotes } from '../replica/chain-notes.ts'
import { committedHead } from '../replica/committed-head.ts'
import type { SessionPeer } from '../replica/mirror-contract.ts'
import type { StoreOp } from '../store/store.ts'
import type { MirrorHome } from './mirror-home.ts'
import type { PublisherHome } from './publisher-home.ts'

/** Exchanges messages between mirrors until all are silent; `lose` drops some on the way. */
export function converge(
  mirrors: readonly MirrorHome[],
  lose: (message: Uint8Array) => boolean = () => false,
): void {
  for (let round = 0; round < 5000; round++) {
    let count = 0
    for (const mirror of mirrors) {
      while (mirror.commit() || mirror.work()) count++
      for (const [other, peer] of mirrors.entries()) {
        const self = mirrors.indexOf(mirror)
        if (other === self) continue
        for (const outgoing of [true, false]) {
          const [mine, theirs] = sessionsOf(self, other, outgoing)
          for (const message of mirror.sentTo(mine)) {
            count++
            if (!lose(message)) peer.receive(theirs, message)
          }
        }
      }
    }
    if (count === 0) return
  }
  throw new Error('the mirrors never fall silent')
}

/** Session numbers of the one that `self` opened to `other` (outgoing), or the reverse. */
export function sessionsOf(
  self: number,
  other: number,
  outgoing: boolean,
): readonly [number, number] {
  const opened = (from: number, to: number): number => 1000 + 10 * from + to
  const accepted = (from: number, to: number): number => 2000 + 10 * from + to
  return outgoing
    ? [opened(self, other), accepted(self, other)]
    : [accepted(other, self), opened(other, self)]
}

/** Each mirror learns of all others; whoever wants a session gets one. */
export function introduce(mirrors: readonly MirrorHome[], home: PublisherHome): void {
  for (const [self, mirror] of mirrors.entries()) {
    const others = mirrors.filter((other) => other !== mirror)
    mirror.take(
      mirror.mirror.learn(
        home.capsule.name,
        others.map(({ headLog }) => headLog.name),
      ),
    )
    connectWanted(mirrors, self)
  }
}

function connectWanted(mirrors: readonly MirrorHome[], self: number): void {
  const mirror = mirrors[self] as MirrorHome
  for (const effect of mirror.effects.splice(0)) {
    if (effect.type !== 'open-session') {
      mirror.effects.push(effect)
      continue
    }
    const other = mirrors.findIndex(({ headLog }) => headLog.name === effect.target)
    const [mine, theirs] = sessionsOf(self, other, true)
    const peer = mirrors[other] as MirrorHome
    peer.take(peer.mirror.opened(theirs, peerOf(mirror), false))
    mirror.take(mirror.mirror.opened(mine, peerOf(peer), true))
  }
}

function peerOf({ headLog, signer }: MirrorHome): SessionPeer {
  return { name: headLog.name, mirrorKey: signer.key }
}

/** The mirror takes the capsule on without holding anything of it. */
export function takeOn(
  mirror: MirrorHome,
  { capsule }: PublisherHome,
  chain: Uint8Array = new Uint8Array(9),
): void {
  const ops: StoreOp[] = [capsule.manifest, ...createChainNotes(capsule.name, chain)]
  mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
}

export function content(mirror: MirrorHome, { capsule }: PublisherHome): unknown[] {
  const head = committedHead(mirror.store, capsule.name, MAIN_BRANCH)
  const range = { start: 0, end: head?.size ?? 0 }
  return [...mirror.store.scan(capsule.name, MAIN_BRANCH, range)]
}

/** The same entries with every payload absent. */
export function withoutBodies(message: Uint8Array): Uint8Array {
  if (message[0] !== 1) return message
  const view = new DataView(message.buffer, message.byteOffset)
  const head = view.getUint16(5)
  const count = view.getUint16(7 + head + 8)
  const end = 7 + head + 14 + view.getUint32(7 + head + 10)
  const changed = new Uint8Array(end + count)
  changed.set(message.subarray(0, end))
  return changed
}
