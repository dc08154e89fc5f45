/**
 * The holder's local socket: carries out what other processes of the same user ask for.
 *
 * A Unix socket that only this user can reach. Only the holder of the home's lock binds it, so a
 * socket file left by a killed holder may be removed. Per connection at most
 * UNANSWERED_BYTES_MAX are taken in and not answered; then the connection is not read until
 * there is room. Garbage ends the connection and nothing else.
 *
 * When the holder closes, every connection is told up to which request it has looked; what was
 * looked at is finished first (rule HM44). Rules HM40-HM44 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { type CborValue, isLongshoreError } from '@longshore/capsule'
import { encodeError } from '../../forward/error-message.ts'
import { Fields, invalid } from '../../forward/fields.ts'
import { encodeFrame, FrameReader, type ReceivedFrame } from '../../forward/frame.ts'
import { OPERATIONS } from '../../forward/requests.ts'
import type { HomeWriter } from '../../home-writer.ts'

/** What one connection may have us hold. */
const UNANSWERED_BYTES_MAX = 8_388_608
/** How long a guest may take to hear that we close. */
const FAREWELL_MS = 1000
/** Paths of sockets are limited to about 108 bytes by the system; leave room. */
const SOCKET_PATH_BYTES_MAX = 100

export class LocalServer {
  /** Where it listens; differs from the wish if that path is too long. */
  readonly path: string
  readonly #server: net.Server
  /** Made for the socket alone, if the wish was too long. */
  readonly #privateDirectory: string | undefined
  readonly #connections = new Set<ServedConnection>()
  #accepted = 0

  private constructor(
    path: string,
    privateDirectory: string | undefined,
    server: net.Server,
    writer: HomeWriter,
  ) {
    this.path = path
    this.#privateDirectory = privateDirectory
    this.#server = server
    server.on('connection', (socket) => {
      this.#accepted++
      const connection = new ServedConnection(socket, writer)
      this.#connections.add(connection)
      socket.on('close', () => this.#connections.delete(connection))
    })
  }

  /** Listens at `wish`, or in a private directory under the system's one for temporary files. */
  static async open(wish: string, writer: HomeWriter): Promise<LocalServer> {
    const isShort = Buffer.byteLength(wish) <= SOCKET_PATH_BYTES_MAX
    const privateDirectory = isShort ? undefined : fs.mkdtempSync(join(os.tmpdir(), 'longshore-'))
    const path = privateDirectory === undefined ? wish : join(privateDirectory, 'socket')
    fs.rmSync(path, { force: true })
    const server = net.createServer()
    const opened = new LocalServer(path, privateDirectory, server, writer)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    fs.chmodSync(path, 0o600)
    // The socket alone keeps no process running.
    server.unref()
    return opened
  }

  /** Somebody is waiting for this process. */
  get isServing(): boolean {
    for (const connection of this.#connections) if (connection.isBusy) return true
    return false
  }

  /** Finishes what was begun, says so to everyone, and is gone. */
  async close(): Promise<void> {
    fs.rmSync(this.path, { force: true })
    await this.#acceptWaiting()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all([...this.#connections].map((connection) => connection.finish()))
    await closed
    if (this.#privateDirectory !== undefined) fs.rmdirSync(this.#privateDirectory)
  }

  /**
   * Lets in whoever has connected and was not accepted yet: closing the socket would cut them off
   * without a word, and they could not know that nobody looked at what they sent. The path is gone
   * already, so their number is final; each turn of the event loop accepts at least one of them.
   */
  async #acceptWaiting(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 2; quietTurns++) {
      const before = this.#accepted
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#accepted > before) quietTurns = -1
    }
  }
}

/** One process that asked. */
class ServedConnection {
  readonly #socket: net.Socket
  readonly #writer: HomeWriter
  readonly #frames = new FrameReader()
  #unansweredBytes = 0
  #unanswered = 0
  /** Highest request that was looked at; requests are numbered upwards from 1. */
  #lastId = 0
  #isFinishing = false
  #onAnswered: (() => void) | undefined

  constructor(socket: net.Socket, writer: HomeWriter) {
    this.#socket = socket
    this.#writer = writer
    socket.on('data', (chunk) => this.#read(chunk))
    // A broken pipe: the other side is gone, and with it whoever wanted the answer.
    socket.on('error', () => socket.destroy())
  }

  get isBusy(): boolean {
    return this.#unanswered > 0
  }

  async finish(): Promise<void> {
    this.#isFinishing = true
    this.#socket.pause()
    while (this.#unanswered > 0) {
      await new Promise<void>((resolve) => (this.#onAnswered = resolve))
    }
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      // A process that was stopped reads nothing; it does not keep the home.
      const timer = setTimeout(() => this.#socket.destroy(), FAREWELL_MS)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#socket.end(encodeFrame(new Map([['bye', this.#lastId]])))
      this.#socket.resume()
    })
  }

  #read(chunk: Uint8Array): void {
    if (this.#isFinishing) return
    try {
      for (const frame of this.#frames.push(chunk)) this.#take(frame)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #take({ message, frameBytes }: ReceivedFrame): void {
    const fields = new Fields(message)
    const id = fields.uint('id')
    const operation = OPERATIONS.get(fields.text('op'))
    if (operation === undefined) throw invalid('the operation is not known')
    const argFields = new Fields(fields.map('args'))
    fields.end()
    if (id <= this.#lastId) throw invalid('requests are numbered upwards')
    const args = operation.decode(argFields)
    argFields.end()
    this.#lastId = id
    this.#unanswered++
    this.#unansweredBytes += frameBytes
    if (this.#unansweredBytes > UNANSWERED_BYTES_MAX) this.#socket.pause()
    operation
      .run(this.#writer, args)
      .then((result): [string, CborValue] => ['ok', operation.result.encode(result)])
      .catch((error: unknown): [string, CborValue] => ['error', encodeError(error)])
      .then((answer) => this.#answer(id, frameBytes, answer))
  }

  #answer(id: number, frameBytes: number, answer: [string, CborValue]): void {
    this.#unanswered--
    this.#unansweredBytes -= frameBytes
    if (!this.#socket.destroyed) {
      this.#socket.write(encodeFrame(new Map<string, CborValue>([['id', id], answer])))
      if (this.#unansweredBytes <= UNANSWERED_BYTES_MAX && !this.#isFinishing) {
        this.#socket.resume()
      }
    }
    this.#onAnswered?.()
  }

  /** FRAME_INVALID is told, once; then there is nothing more to say. */
  #refuse(error: unknown): void {
    this.#isFinishing = true
    if (!isLongshoreError(error)) throw error
    this.#socket.end(encodeFrame(new Map([['error', encodeError(error)]])))
    this.#socket.on('finish', () => this.#socket.destroy())
  }
}
