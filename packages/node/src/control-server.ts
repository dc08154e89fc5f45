/**
 * How an operator speaks with a node that runs: a Unix socket in the data directory that only its
 * user can reach, with HTTP and JSON on it.
 *
 *     GET  /status
 *     POST /drop        {"name":"bafyrei…","undo":false,"free":false}
 *     POST /membership  {"membership":"longshoremember1…"}
 *
 * Whoever holds the lock of the home binds it, so a socket file that a killed node left may be
 * removed. Rule ND10 of docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import os from 'node:os'
import { join } from 'node:path'
import { isLongshoreError, type LongshoreError, UsageError } from '@longshore/capsule'

/** Paths of sockets are limited to about 108 bytes by the system; leave room. */
const SOCKET_PATH_BYTES_MAX = 100
/** A membership of the longest chain, with room. */
const BODY_BYTES_MAX = 524_288
const REQUEST_MS_MAX = 10_000
/** What a request under way has left when the node stops. */
const FAREWELL_MS = 1000

/** What a node does for its operator; each answer is one JSON object. */
export interface ControlHandlers {
  status(): object
  drop(name: string, how: { undo: boolean; free: boolean }): Promise<object>
  join(membership: string): Promise<object>
}

export class ControlServer {
  readonly path: string
  readonly #server: Server
  readonly #privateDirectory: string | undefined

  private constructor(path: string, server: Server, privateDirectory: string | undefined) {
    this.path = path
    this.#server = server
    this.#privateDirectory = privateDirectory
  }

  /** Listens at `wish`, or in a private directory for temporary files if that path is too long. */
  static async open(wish: string, handlers: ControlHandlers): Promise<ControlServer> {
    const isShort = Buffer.byteLength(wish) <= SOCKET_PATH_BYTES_MAX
    const privateDirectory = isShort ? undefined : fs.mkdtempSync(join(os.tmpdir(), 'longshore-'))
    const path = privateDirectory === undefined ? wish : join(privateDirectory, 'control')
    fs.rmSync(path, { force: true })
    const server = createServer((request, response) => void serve(request, response, handlers))
    server.requestTimeout = REQUEST_MS_MAX
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    fs.chmodSync(path, 0o600)
    return new ControlServer(path, server, privateDirectory)
  }

  async close(): Promise<void> {
    fs.rmSync(this.path, { force: true })
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    // Whoever has connected and asks for nothing keeps no node from stopping.
    const timer = setTimeout(() => this.#server.closeAllConnections(), FAREWELL_MS)
    await closed
    clearTimeout(timer)
    if (this.#privateDirectory !== undefined) fs.rmdirSync(this.#privateDirectory)
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ControlHandlers,
): Promise<void> {
  try {
    answer(response, 200, await handle(request, handlers))
  } catch (error) {
    // Whoever asked is gone.
    if (request.errored !== null) return
    if (!isLongshoreError(error)) {
      // A defect of ours ends the process, as it would anywhere else.
      setImmediate(() => {
        throw error
      })
      response.destroy()
      return
    }
    answer(response, 422, describe(error))
  }
}

async function handle(request: IncomingMessage, handlers: ControlHandlers): Promise<object> {
  const call = `${request.method} ${request.url}`
  if (call === 'GET /status') return handlers.status()
  const body = await readBody(request)
  if (call === 'POST /drop') {
    const how = { undo: body['undo'] === true, free: body['free'] === true }
    return handlers.drop(text(body, 'name'), how)
  }
  if (call === 'POST /membership') return handlers.join(text(body, 'membership'))
  throw new UsageError('USAGE', 'the node does not know this request', { call })
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = []
  let byteLength = 0
  for await (const chunk of request) {
    byteLength += (chunk as Uint8Array).length
    if (byteLength > BODY_BYTES_MAX) throw new UsageError('USAGE', 'the request is too long')
    chunks.push(chunk as Uint8Array)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new UsageError('USAGE', 'the request is no JSON', undefined, { cause })
  }
  throw new UsageError('USAGE', 'the request is no JSON object')
}

function text(body: Record<string, unknown>, key: string): string {
  const value = body[key]
  if (typeof value === 'string') return value
  throw new UsageError('USAGE', `the request lacks ${key}`)
}

function describe({ code, message, details }: LongshoreError): object {
  return { code, message, details }
}

function answer(response: ServerResponse, status: number, object: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(`${JSON.stringify(object)}\n`)
}
