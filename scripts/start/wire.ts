/**
 * A wire between two nodes that can be cut: a TCP relay on this machine.
 *
 * What runs through it is TLS between the nodes, who pin each other's keys: a relay can read and
 * change nothing, and cutting it is all that it can do.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const ADDRESS = /^tls:\/\/(.+):(\d+)$/

export class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  private constructor(server: Server) {
    this.#server = server
  }

  /** Leads to `address`, `tls://HOST:PORT`. */
  static async open(address: string): Promise<Wire> {
    const [, host = '', port] = ADDRESS.exec(address) ?? []
    const server = createServer()
    const wire = new Wire(server)
    server.on('connection', (near) => {
      if (wire.#isCut) {
        near.destroy()
        return
      }
      const far = connect({ host, port: Number(port), noDelay: true })
      near.setNoDelay(true)
      near.pipe(far).pipe(near)
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        wire.#sockets.add(socket)
        // Why it ended does not matter: whatever ends one side ends the other.
        socket.on('error', () => {})
        socket.on('close', () => {
          wire.#sockets.delete(socket)
          other.destroy()
        })
      }
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return wire
  }

  /** Where to dial. */
  get address(): string {
    return `tls://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get isCut(): boolean {
    return this.#isCut
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  restore(): void {
    this.#isCut = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
