/**
 * The reading process of `npm start`: follows the capsule from another process and verifies every
 * entry. It shares nothing with the writer but the files on disk.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'

export type FollowerMessage =
  | {
      readonly event: 'verified'
      readonly index: number
      readonly delayUs: number
      readonly root: string
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
  try {
    for await (const entry of capsule.follow({ from, signal: stop.signal })) {
      const root = Buffer.from(capsule.head?.root ?? new Uint8Array()).toString('base64')
      send({
        event: 'verified',
        index: entry.index,
        delayUs: Date.now() * 1000 - entry.timeUs,
        root,
      })
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
