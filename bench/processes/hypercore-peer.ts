/**
 * One end of Hypercore's replication over TCP: `hypercore-peer.ts DIRECTORY`.
 *
 * @module
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { openHypercore } from '../contenders/hypercore.ts'
import { answerCommands } from './command.ts'

const BATCH = 1000

const directory = process.argv[2] ?? ''
let coreCount = 0

function nextDirectory(): string {
  return join(directory, String(++coreCount))
}

interface Offered {
  readonly port: number
  readonly key: string
  readonly count: number
}

answerCommands({
  /** A full core that listens. */
  offer: async ({ count, payloadBytes }: { count: number; payloadBytes: number }) => {
    const core = await openHypercore(nextDirectory())
    const perBatch = Math.max(1, Math.min(BATCH, Math.floor(1_048_576 / payloadBytes)))
    while (core.length < count) {
      const batch = Math.min(perBatch, count - core.length)
      await core.append(Array.from({ length: batch }, () => Buffer.alloc(payloadBytes, 7)))
    }
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      socket.pipe(core.replicate(false)).pipe(socket)
      // A core of its own for each window.
      socket.once('close', () => {
        server.close()
        void core.close()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { port, key: Buffer.from(core.key).toString('hex'), count } satisfies Offered
  },

  /** Seconds until every block of it is here. */
  take: async ({ port, key, count }: Offered) => {
    const core = await openHypercore(nextDirectory(), Buffer.from(key, 'hex'))
    const started = performance.now()
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    socket.pipe(core.replicate(true)).pipe(socket)
    await core.download({ start: 0, end: count }).done()
    const seconds = (performance.now() - started) / 1000
    socket.destroy()
    await core.close()
    return { seconds }
  },

  cpu: () => undefined,
})
