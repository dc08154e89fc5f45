/**
 * Many followers of one capsule, each with a link and a session of its own:
 * `network-followers.ts COUNT WAY TICKET MIRROR CAPSULE`.
 *
 * @module
 */
import { parseName } from '@longshore/capsule'
import { answerCommands } from './command.ts'
import { type Following, follow, type Way } from './follow.ts'

/** Handshakes at the same time: a router takes no more than 256 strangers. */
const TOGETHER = 50

const [count = '', way = '', ticket = '', mirror = '', capsule = ''] = process.argv.slice(2)

interface Follower {
  following: Following
  size: number
}

interface Reach {
  readonly size: number
  /** Whoever has missed something asks again after this. */
  readonly patienceMs: number
}

const followers: Follower[] = []
/** Who waits until all followers have so many entries. */
let waiting: { readonly size: number; readonly resolve: () => void } | undefined
let behind = 0

function open(onFirst: () => void): void {
  const options = { ticket, mirror: parseName(mirror), name: parseName(capsule), way: way as Way }
  const onEntries = (_: unknown, size: number): void => {
    const before = follower.size
    follower.size = size
    if (before === 0) onFirst()
    if (waiting === undefined || before >= waiting.size || size < waiting.size) return
    if (--behind === 0) waiting.resolve()
  }
  const follower: Follower = { following: follow({ ...options, onEntries }), size: 0 }
  followers.push(follower)
}

async function reach({ size, patienceMs }: Reach): Promise<void> {
  const late = (): Follower[] => followers.filter((follower) => follower.size < size)
  behind = late().length
  if (behind === 0) return
  const ask = setInterval(() => {
    for (const { following } of late()) following.refresh()
  }, patienceMs)
  await new Promise<void>((resolve) => {
    waiting = { size, resolve }
  })
  clearInterval(ask)
  waiting = undefined
}

while (followers.length < Number(count)) {
  const lot = Math.min(TOGETHER, Number(count) - followers.length)
  await Promise.all(Array.from({ length: lot }, () => new Promise<void>(open)))
}

answerCommands({
  /** Resolves when each of them has so many entries. */
  reach,
  receivedBytes: () => followers.reduce((sum, { following }) => sum + following.receivedBytes, 0),
  cpu: () => undefined,
})
