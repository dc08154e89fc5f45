/**
 * The reading process of `npm start`: follows the capsule through a router of another domain and
 * verifies every entry. It shares nothing with the writer, neither files nor keys; it knows the
 * name of the capsule and a ticket.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isLongshoreError, UnavailableError } from '@longshore/capsule'
import { type Capsule, openHome } from '@longshore/client/node'
import { digestPayload } from './ledger.ts'

const AGAIN_MS = 250

export interface FollowerPlan {
  readonly home: string
  readonly ticket: string
  readonly name: string
  /** First entry that is wanted. */
  readonly from: number
}

/** A signed head that this process has verified: size and root always belong together. */
export interface VerifiedHead {
  readonly size: number
  /** Base64; empty while nothing is signed. */
  readonly root: string
}

export type FollowerMessage =
  | {
      readonly event: 'verified'
      readonly index: number
      /** Null: its payload was erased on purpose. */
      readonly digest: string | null
      readonly delayUs: number
      readonly head: VerifiedHead
    }
  /** No mirror goes on with it now; it tries again. */
  | { readonly event: 'interrupted'; readonly code: string; readonly message: string }
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

function send(message: FollowerMessage): void {
  if (process.connected) process.send?.(message)
}

function verifiedHead({ head }: Capsule): VerifiedHead {
  if (head === undefined) return { size: 0, root: '' }
  return { size: head.size, root: Buffer.from(head.root).toString('base64') }
}

async function main({ home: path, ticket, name, from }: FollowerPlan): Promise<void> {
  const stop = new AbortController()
  const { signal } = stop
  process.once('SIGTERM', () => stop.abort())
  process.once('disconnect', () => stop.abort())
  process.once('message', () => stop.abort())
  process.on('SIGINT', () => undefined)

  await using home = await openHome({ path })
  await home.network.connect(ticket)
  for (let next = from; !signal.aborted; ) {
    try {
      await using capsule = await home.open(name, { signal })
      for await (const entry of capsule.follow({ from: next, signal })) {
        const delayUs = Date.now() * 1000 - entry.timeUs
        const digest = entry.payload === undefined ? null : digestPayload(entry.payload)
        send({
          event: 'verified',
          index: entry.index,
          digest,
          delayUs,
          head: verifiedHead(capsule),
        })
        next = entry.index + 1
      }
    } catch (error) {
      if (signal.aborted) return
      // Somebody is away. What does not verify is another matter.
      if (!isLongshoreError(error) || !(error instanceof UnavailableError)) throw error
      send({ event: 'interrupted', code: error.code, message: error.message })
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

const plan = process.argv[2]
if (plan !== undefined && import.meta.main) {
  try {
    await main(JSON.parse(plan) as FollowerPlan)
  } catch (error) {
    const { code = 'UNEXPECTED', message } = error as Error & { code?: string }
    send({ event: 'failed', code, message })
    process.exitCode = 1
  }
  if (process.connected) process.disconnect()
}
