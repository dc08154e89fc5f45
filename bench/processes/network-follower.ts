/**
 * Follows a capsule through its mirror: `network-follower.ts TICKET MIRROR CAPSULE`.
 *
 * @module
 */
import { bytesEqual, MAIN_BRANCH, parseName } from '@longshore/capsule'
import { type EntryBatch, RemoteReader, readerService } from '@longshore/engine'
import { answerCommands } from './command.ts'
import { NetworkPeer } from './network-peer.ts'

const [ticket = '', mirrorText = '', capsuleText = ''] = process.argv.slice(2)
const [mirror, name] = [parseName(mirrorText), parseName(capsuleText)]
const reader = new RemoteReader({ name, branch: MAIN_BRANCH, nowUs: () => Date.now() * 1000 })
let isFollowing: (() => void) | undefined
/** Milliseconds that nobody has asked for yet, and who waits for the next. */
const delays: number[] = []
let onDelay: ((ms: number) => void) | undefined
/** Nothing is measured before the first entries were delivered. */
const following = new Promise<void>((resolve) => {
  isFollowing = resolve
})

function delivered({ count, frames, offsets }: EntryBatch): void {
  const now = process.hrtime.bigint()
  isFollowing?.()
  const last = new DataView(frames.buffer, frames.byteOffset + (offsets[count - 1] as number))
  const bodyAt = 4 + last.getUint16(0)
  if (bodyAt + 8 > last.byteLength) return
  delays.push(Number(now - last.getBigUint64(bodyAt)) / 1e6)
  takeDelay()
}

function takeDelay(): void {
  if (onDelay === undefined || delays.length === 0) return
  onDelay(delays.shift() as number)
  onDelay = undefined
}

const peer = await NetworkPeer.join({
  ticket,
  service: readerService(reader, (target) => bytesEqual(target, mirror)),
  onNews: (news) => {
    if (news.type === 'entries') delivered(news.entries)
    else if (news.type === 'failed' || news.type === 'distrusted') throw news.error
  },
})
peer.openSession(mirror)
peer.run(reader.follow(1, 0))
await following

answerCommands({
  /** Milliseconds from append to verified delivery of the next entry. */
  delay: () =>
    new Promise<number>((resolve) => {
      onDelay = resolve
      takeDelay()
    }),
  cpu: () => undefined,
})
