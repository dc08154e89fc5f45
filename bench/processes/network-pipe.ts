/**
 * Bytes over bare TLS, the limit of a router: `network-pipe.ts relay PORT` passes on what it gets
 * to a port, `network-pipe.ts ends` sends and receives.
 *
 * @module
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { createSigner } from '@longshore/capsule'
import { createTlsKeys } from '@longshore/engine/node'
import { answerCommands } from './command.ts'

const [role, target] = process.argv.slice(2)
const { privateKey, certificate } = createTlsKeys(createSigner(new Uint8Array(32)).publicKey)
const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`
const key = privateKey.export({ format: 'pem', type: 'pkcs8' })
const PIECE_BYTES = 32_768

let receivedBytes = 0
let onReceived = (): void => {}
const server = createServer({ key, cert: pem, minVersion: 'TLSv1.3' }, (socket) => {
  socket.on('error', () => process.exit(1))
  if (role === 'relay') socket.pipe(dial(Number(target)))
  else {
    socket.on('data', ({ length }) => {
      receivedBytes += length
      onReceived()
    })
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
let sender: TLSSocket | undefined

function dial(port: number): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.on('error', () => process.exit(1))
  return socket
}

answerCommands({
  port: () => (server.address() as AddressInfo).port,

  /** Sends so many bytes through the relay at `port`; resolves when they are back. */
  send: async ({ port, byteLength }: { port: number; byteLength: number }) => {
    sender ??= dial(port)
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
