/**
 * What HTTP clients have asked for and not yet taken.
 *
 * A request costs a client thirty bytes and a node up to four megabytes, and Node.js hands over
 * all requests of a packet before it waits for the client. So the requests of one connection are
 * answered in turn, and the bytes of all of them counted. Rule GW7 of docs/spec/gateway.md.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** No client in use sends more than one before it has the answer. */
const REQUESTS_MAX = 16
/** Fifteen of the largest answers, a bundle of 256 headers of 16 KiB. */
const BYTES_MAX = 64 * 1024 * 1024

export class WaitingAnswers {
  #bytes = 0
  /** What each connection still has to be answered; the first is being taken. */
  readonly #queues = new WeakMap<Socket, (() => void)[]>()

  /** Calls `answer` when the client has taken what it asked for before; ends it if that is much. */
  inTurn(connection: Socket, response: ServerResponse, answer: () => void): void {
    const queue = this.#queues.get(connection) ?? []
    this.#queues.set(connection, queue)
    if (queue.length === REQUESTS_MAX) {
      connection.destroy()
      return
    }
    queue.push(answer)
    response.once('finish', () => {
      queue.shift()
      queue[0]?.()
    })
    if (queue.length === 1) answer()
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES_MAX
  }

  /** Counts what is about to be handed to `response`, until it is taken or its client gone. */
  add(response: ServerResponse, byteLength: number): void {
    this.#bytes += byteLength
    response.once('close', () => {
      this.#bytes -= byteLength
    })
  }
}
