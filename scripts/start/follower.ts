/**
 * The reading process of `npm start`: follows the capsule from another process and verifies every
 * entry. It shares nothing with the writer but the files on disk.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'

/** A signed head that this process has verified: size and root always belong together. */
export interface VerifiedHead {
  readonly size: number
  /** Base64; empty while nothing is signed. */
  readonly root: string
}

export type FollowerMessage =
  | { readonly event: 'opened'; readonly head: VerifiedHead }
  | {
      readonly event: 'verified'
      readonly index: number
      readonly delayUs: number
      readonly head: VerifiedHead
    }
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

function send(message: FollowerMessage): void {
  if (process.connected) process.send?.(message)
}

async function main(path: string, name: string, from: number): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  process.once('disconnect', () => stop.abort())
  process.on('message', (message) => {
    if (message === 'stop') stop.abort()
  })
  process.on('SIGINT', () => undefined)

  await using home = await openHome({ path, readOnly: true })
  await using capsule = await home.open(name)
  const verifiedHead = (): VerifiedHead => {
    const { head } = capsule
    if (head === undefined) return { size: 0, root: '' }
    return { size: head.size, root: Buffer.from(head.root).toString('base64') }
  }
  send({ event: 'opened', head: verifiedHead() })
  try {
    for await (const entry of capsule.follow({ from, signal: stop.signal })) {
      const delayUs = Date.now() * 1000 - entry.timeUs
      send({ event: 'verified', index: entry.index, delayUs, head: verifiedHead() })
    }
  } catch (error) {
    if (stop.signal.aborted) return
    throw error
  }
}

const [path, name, from] = process.argv.slice(2)
if (path !== undefined && name !== undefined && import.meta.main) {
  try {
    await main(path, name, Number(from ?? 0))
  } catch (error) {
    const { code = 'UNEXPECTED', message } = error as Error & { code?: string }
    send({ event: 'failed', code, message })
    process.exitCode = 1
  }
  if (process.connected) process.disconnect()
}
