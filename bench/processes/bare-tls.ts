/**
 * TLS and nothing else: what limits are made of.
 *
 * @module
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { createTlsKeys } from '@longshore/engine/node'

const { privateKey, certificate } = createTlsKeys(new Uint8Array(32).fill(1))
const body = Buffer.from(certificate).toString('base64')
const cert = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`
const key = privateKey.export({ format: 'pem', type: 'pkcs8' })

/** Resolves with the port. A connection that breaks ends the process. */
export async function listenTls(take: (socket: TLSSocket) => void): Promise<number> {
  const server = createServer({ key, cert, minVersion: 'TLSv1.3', noDelay: true }, (socket) => {
    socket.on('error', () => process.exit(1))
    take(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export function dialTls(port: number): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.setNoDelay(true)
  socket.on('error', () => process.exit(1))
  return socket
}
