/**
 * Bytes over bare TLS, the limit of a router: `network-pipe.ts relay PORT` passes on what it gets
 * to a port, `network-pipe.ts ends` sends and receives.
 *
 * @module
 */
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { dialTls, listenTls } from './bare-tls.ts'
import { answerCommands } from './command.ts'

const [role, target] = process.argv.slice(2)
const PIECE_BYTES = 32_768

let receivedBytes = 0
let onReceived = (): void => {}
const ownPort = await listenTls((socket) => {
  if (role === 'relay') socket.pipe(dialTls(Number(target)))
  else {
    socket.on('data', ({ length }) => {
      receivedBytes += length
      onReceived()
    })
  }
})
let sender: TLSSocket | undefined

answerCommands({
  port: () => ownPort,

  /** Sends so many bytes through the relay at `port`; resolves when they are back. */
  send: async ({ port, byteLength }: { port: number; byteLength: number }) => {
    sender ??= dialTls(port)
    receivedBytes = 0
    const isBack = new Promise<void>((resolve) => {
      onReceived = () => {
        if (receivedBytes >= byteLength) resolve()
      }
    })
    const piece = new Uint8Array(PIECE_BYTES)
    for (let sent = 0; sent < byteLength; sent += piece.length) {
      if (!sender.write(piece)) await once(sender, 'drain')
    }
    await isBack
  },

  cpu: () => undefined,
})
