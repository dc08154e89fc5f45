/**
 * What HTTP clients have asked for and not yet taken.
 *
 * A request costs a client thirty bytes and a node up to four megabytes, and Node.js reads as many
 * of them as fit into a packet before it waits for the client. So requests of one connection and
 * bytes of all of them are counted. Rule GW7 of docs/spec/gateway.md.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** No client in use sends more than one before it has the answer. */
const REQUESTS_MAX = 16
/** Fifteen of the largest answers, a bundle of 256 headers; what readers of one site keep up with. */
const BYTES_MAX = 64 * 1024 * 1024

interface Waiting {
  requests: number
  bytes: number
}

export class WaitingAnswers {
  #bytes = 0
  readonly #connections = new WeakMap<Socket, Waiting>()

  watch(connection: Socket): void {
    const waiting = { requests: 0, bytes: 0 }
    this.#connections.set(connection, waiting)
    connection.once('close', () => {
      this.#connections.delete(connection)
      this.#bytes -= waiting.bytes
    })
  }

  /** Counts a request until it is answered; false if its client has sent too many before. */
  admits(connection: Socket, response: ServerResponse): boolean {
    const waiting = this.#connections.get(connection)
    if (waiting === undefined || waiting.requests === REQUESTS_MAX) return false
    waiting.requests += 1
    response.once('finish', () => {
      waiting.requests -= 1
    })
    return true
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES_MAX
  }

  /** Counts what is about to be handed to `response`, until the system has taken all of it. */
  add(connection: Socket, response: ServerResponse, byteLength: number): void {
    const waiting = this.#connections.get(connection)
    if (waiting === undefined) return
    waiting.bytes += byteLength
    this.#bytes += byteLength
    response.once('finish', () => {
      if (!this.#connections.has(connection)) return
      waiting.bytes -= byteLength
      this.#bytes -= byteLength
    })
  }
}
