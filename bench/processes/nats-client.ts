/**
 * Publishes to a stream, and follows it: `nats-client.ts URL`.
 *
 * @module
 */
import { connectNats } from '../contenders/nats.ts'
import { rateInFlight } from '../frame/measure.ts'
import { answerCommands } from './command.ts'
import { Delays, stamped, stampOf } from './delays.ts'

const PAYLOAD_BYTES = 100

const client = await connectNats(process.argv[2] ?? '')
const delays = new Delays()

answerCommands({
  /** Publishes with so many in flight, each until its acknowledgement; how many in a second. */
  appends: ({ lanes, windowMs }: { lanes: number; windowMs: number }) => {
    const payload = new Uint8Array(PAYLOAD_BYTES)
    return rateInFlight(windowMs, lanes, () => client.publish(payload))
  },

  /** Seconds until the last of so many messages is acknowledged, with so many in flight. */
  push: async (work: { count: number; payloadBytes: number; lanes: number }) => {
    const payload = new Uint8Array(work.payloadBytes)
    let left = work.count
    const started = performance.now()
    const lane = async (): Promise<void> => {
      while (left-- > 0) await client.publish(payload)
    }
    await Promise.all(Array.from({ length: work.lanes }, lane))
    return { seconds: (performance.now() - started) / 1000 }
  },

  follow: () => client.follow((payload) => delays.delivered(stampOf(payload))),

  stamp: () => client.publish(stamped(PAYLOAD_BYTES)),

  /** Milliseconds from publication to delivery of the next message. */
  delay: () => delays.next(),

  cpu: () => undefined,
})
