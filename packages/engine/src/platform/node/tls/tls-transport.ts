/**
 * The transport between nodes: TLS 1.3 over TCP, both sides with a certificate.
 *
 * 1. Whoever is connected has proven an Ed25519 key, and the dialler has compared it with the key
 *    that it expects, before a byte goes up to the engine.
 * 2. ALPN `longshore/1` is required; there is no resumption and no early data (F29).
 * 3. Handshakes are bounded in time and number, so a port full of silence costs little.
 * 4. Events come later, never from inside `apply`.
 *
 * Rules TP1 to TP9 of docs/spec/transport.md.
 *
 * @module
 */
import type { Server } from 'node:net'
import {
  type CommonConnectionOptions,
  connect,
  createServer,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls'
import { bytesEqual, type PublicKey, UnavailableError } from '@longshore/capsule'
import type { ConnectionId, TransportEffect, TransportEvent } from '../../../transport/transport.ts'
import { formatAddress, parseAddress } from './address.ts'
import { createTlsKeys, openCertificate, type TlsKeys } from './certificate.ts'

const PROTOCOL = 'longshore/1'
const EXPORTER_LABEL = 'EXPORTER-longshore'
const EXPORTER_BYTES = 32

/** What a port may cost before anybody has said who he is. */
export interface TlsLimits {
  /** Connections at a time: neighbors and clients. Each costs some 50 KiB of TLS state. */
  readonly connectionsMax: number
  /** TCP and TLS together; a node behind a slow link needs about two seconds. */
  readonly handshakeMsMax: number
}

const LIMITS: TlsLimits = { connectionsMax: 4096, handshakeMsMax: 10_000 }
/** What was written before `close` may take so long to go out. */
const LINGER_MS = 5000

export interface TlsTransportOptions {
  /** Of the node's tls key, 32 bytes. */
  readonly seed: Uint8Array
  readonly onEvent: (event: TransportEvent) => void
  readonly limits?: TlsLimits
}

interface Connection {
  readonly socket: TLSSocket
  /** Writes whose bytes have not left. */
  writing: number
}

export class TlsTransport {
  readonly #keys: TlsKeys
  readonly #tls: SecureContextOptions & CommonConnectionOptions
  readonly #onEvent: (event: TransportEvent) => void
  readonly #limits: TlsLimits
  readonly #connections = new Map<ConnectionId, Connection>()
  /** Sockets before and after their handshake. */
  readonly #sockets = new Set<TLSSocket>()
  readonly #servers: Server[] = []
  #lastConnection = 0
  #isClosed = false

  constructor({ seed, onEvent, limits = LIMITS }: TlsTransportOptions) {
    this.#limits = limits
    this.#keys = createTlsKeys(seed)
    this.#onEvent = onEvent
    const { privateKey, certificate } = this.#keys
    this.#tls = {
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: pem(certificate),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      sigalgs: 'ed25519',
      ALPNProtocols: [PROTOCOL],
      requestCert: true,
      // There is no authority to ask: the key itself is what the engine knows principals by.
      rejectUnauthorized: false,
    }
  }

  get publicKey(): PublicKey {
    return this.#keys.publicKey
  }

  /**
   * Listens at `tls://HOST:PORT` and returns the address with the port that the system chose.
   *
   * @throws {UsageError} `USAGE` for something that is no address.
   * @throws {UnavailableError} `PORT_TAKEN` if it cannot listen there.
   */
  listen(address: string): Promise<string> {
    const { host, port } = parseAddress(address)
    const { handshakeMsMax: handshakeTimeout } = this.#limits
    const server = createServer({ ...this.#tls, handshakeTimeout })
    server.maxConnections = this.#limits.connectionsMax
    server.on('connection', (socket) => socket.setNoDelay(true))
    server.on('secureConnection', (socket) => this.#opened(socket, undefined, undefined))
    // The other side broke off the handshake, or never spoke TLS: nobody here needs to know.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `cannot listen at ${address}: ${cause.code ?? cause.message}`
        reject(new UnavailableError('PORT_TAKEN', message, { address }, { cause }))
      })
      server.listen(port, host, () => {
        const bound = server.address()
        const chosen = typeof bound === 'object' && bound !== null ? bound.port : port
        resolve(formatAddress({ host, port: chosen }))
      })
    })
  }

  apply(effect: TransportEffect): void {
    if (this.#isClosed) return
    if (effect.type === 'dial') {
      this.#dial(effect.dial, effect.address, effect.tlsKey)
      return
    }
    const connection = this.#connections.get(effect.connection)
    if (connection === undefined) return
    const { socket } = connection
    switch (effect.type) {
      case 'write':
        this.#write(effect.connection, connection, effect.chunks)
        return
      case 'close':
        socket.end()
        setTimeout(() => socket.destroy(), LINGER_MS).unref()
        return
      case 'pause':
        socket.pause()
        return
      case 'resume':
        socket.resume()
    }
  }

  /** Resolves when no connection is left, at the latest after some seconds. */
  async emptied(): Promise<void> {
    const open = [...this.#connections.values()].map(({ socket }) => {
      return new Promise((resolve) => socket.once('close', resolve))
    })
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise((resolve) => {
      timer = setTimeout(resolve, LINGER_MS)
    })
    await Promise.race([Promise.all(open), tooLong])
    clearTimeout(timer)
  }

  /** Breaks every connection and frees every port. No more events. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const socket of this.#sockets) socket.destroy()
    for (const { socket } of this.#connections.values()) socket.destroy()
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    )
  }

  #emit(event: TransportEvent): void {
    if (!this.#isClosed) this.#onEvent(event)
  }

  #dial(dial: number, address: string, tlsKey: PublicKey): void {
    const fail = (reason: string): void => {
      queueMicrotask(() => this.#emit({ type: 'dial-failed', dial, reason }))
    }
    let at: ReturnType<typeof parseAddress>
    try {
      at = parseAddress(address)
    } catch (error) {
      fail((error as Error).message)
      return
    }
    const socket = connect({ ...this.#tls, host: at.host, port: at.port })
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    let reason = 'the other side broke off'
    const timer = setTimeout(() => {
      reason = 'timed out'
      socket.destroy()
    }, this.#limits.handshakeMsMax)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
    })
    const failed = (): void => {
      clearTimeout(timer)
      this.#sockets.delete(socket)
      this.#emit({ type: 'dial-failed', dial, reason })
    }
    socket.once('close', failed)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      const refusal = this.#opened(socket, dial, tlsKey, () => socket.off('close', failed))
      if (refusal !== undefined) reason = refusal
    })
  }

  /** Hands a connection up if its peer may be one; else ends it and says why. */
  #opened(
    socket: TLSSocket,
    dial: number | undefined,
    pinned: PublicKey | undefined,
    accepted?: () => void,
  ): string | undefined {
    const peerTlsKey = peerKey(socket)
    const refusal =
      peerTlsKey === undefined
        ? 'not a node of Longshore'
        : pinned !== undefined && !bytesEqual(pinned, peerTlsKey)
          ? 'another TLS key'
          : undefined
    if (peerTlsKey === undefined || refusal !== undefined || this.#isClosed) {
      socket.on('error', () => {})
      socket.destroy()
      return refusal
    }
    accepted?.()
    this.#sockets.delete(socket)
    const id = ++this.#lastConnection
    this.#connections.set(id, { socket, writing: 0 })
    this.#watch(id, socket)
    const exporter = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))
    const { remoteAddress: host = '', remotePort: port = 0 } = socket
    this.#emit({
      type: 'connected',
      connection: id,
      dial,
      peerTlsKey,
      exporter: new Uint8Array(exporter),
      remote: formatAddress({ host, port }),
    })
    return undefined
  }

  #watch(connection: ConnectionId, socket: TLSSocket): void {
    let reason = 'closed'
    socket.on('data', ({ buffer, byteOffset, byteLength }) => {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength)
      this.#emit({ type: 'received', connection, bytes })
    })
    socket.on('end', () => {
      reason = 'closed by the other end'
      socket.end()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
    })
    socket.on('close', () => {
      this.#connections.delete(connection)
      this.#emit({ type: 'closed', connection, reason })
    })
  }

  #write(id: ConnectionId, connection: Connection, chunks: readonly Uint8Array[]): void {
    const { socket } = connection
    if (!socket.writable || chunks.length === 0) return
    const last = chunks.length - 1
    connection.writing++
    const isMany = last > 0
    if (isMany) socket.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    socket.write(chunks[last] as Uint8Array, (error) => {
      connection.writing--
      if (error || connection.writing > 0 || socket.destroyed) return
      this.#emit({ type: 'drained', connection: id })
    })
    if (isMany) socket.uncork()
  }
}

/** The proven key of the other side, unless it is not one that a node may have. */
function peerKey(socket: TLSSocket): PublicKey | undefined {
  if (socket.alpnProtocol !== PROTOCOL || socket.isSessionReused()) return undefined
  const raw = socket.getPeerX509Certificate()?.raw
  if (raw === undefined) return undefined
  try {
    return openCertificate(new Uint8Array(raw))
  } catch {
    return undefined
  }
}

function pem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
