/**
 * What a node shows over HTTP: its health, its metrics, and every public capsule that it holds as
 * C2SP tlog-tiles, for any tool that speaks them and any cache in between.
 *
 *     /healthz   /metrics
 *     /capsule/<name>/checkpoint
 *     /capsule/<name>/tile/<level>/<n>[.p/<width>]
 *     /capsule/<name>/tile/entries/<n>[.p/<width>]
 *     /capsule/<name>/manifest.cbor
 *     /capsule/<name>/payload/<index>
 *
 * Reading only: nothing that a client sends changes anything, and nothing of it is believed. A
 * capsule whose policy does not let anybody read is not shown, and not said to be there (F26).
 * Rules GW1 to GW7 of docs/spec/gateway.md.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  type CapsuleName,
  concatBytes,
  ERROR_CODES,
  type ErrorCode,
  formatCheckpoint,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openManifest,
  parseName,
  parseTilePath,
  type SignedManifest,
  type TilePath,
  tileWidth,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { isDropped, type StoreReader } from '@longshore/engine'
import { WaitingAnswers } from './waiting-answers.ts'

/** A path of ours is shorter; a longer one is not read. */
const PATH_CHARS_MAX = 512
/** What never changes may be kept for a year, what grows for as long as a person blinks. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
const CHANGING = 'public, max-age=1'
const MANIFESTS_KEPT = 1024
/** As long as a client may send nothing of a request, or take nothing of an answer. */
const SILENCE_MS_MAX = 10_000

export interface GatewayOptions {
  readonly store: StoreReader
  /** Capsules are shown; else only health and metrics. */
  readonly showsCapsules: boolean
  /** The committed head of the main branch; undefined for an empty or unknown capsule. */
  readonly headOf: (name: CapsuleName) => Head | undefined
  /** Prometheus text. */
  readonly metrics: () => string
  /** One object; `ok` false answers 503. */
  readonly health: () => { readonly ok: boolean } & Readonly<Record<string, unknown>>
}

/** What a client can do, where the advice of the code is for somebody else. */
const NEXT: Partial<Readonly<Record<ErrorCode, string>>> = {
  NOT_FOUND:
    'Check the path and the name, or ask another node; what is not public is not shown, nor what a node does not hold.',
  PAYLOAD_ABSENT: 'Ask another node that holds the capsule.',
  STORE_CORRUPT: 'Ask another node that holds the capsule, and tell the operator of this one.',
  STORE_IO: 'Ask another node that holds the capsule, and tell the operator of this one.',
  OVERLOADED: 'Try again in some seconds, or ask another node that holds the capsule.',
  USAGE: 'Use GET or HEAD.',
}

interface Answer {
  readonly type: string
  readonly cache: string
  readonly body: Uint8Array | string
}

export class HttpGateway {
  readonly #options: GatewayOptions
  readonly #server: Server
  /** Manifests that were verified, newest use last. */
  readonly #manifests = new Map<string, SignedManifest>()
  readonly #waiting = new WaitingAnswers()

  constructor(options: GatewayOptions) {
    this.#options = options
    // Node.js would look every 30 s for requests that take too long.
    this.#server = createServer({ connectionsCheckingInterval: 1000 }, (request, response) =>
      this.#waiting.inTurn(request.socket, response, () => this.#serve(request, response)),
    )
    this.#server.requestTimeout = 10_000
    this.#server.headersTimeout = 5000
    this.#server.timeout = SILENCE_MS_MAX
    this.#server.maxConnections = 1024
  }

  /**
   * Listens and returns `http://HOST:PORT`, with the port that the system chose for 0.
   *
   * @throws {UnavailableError} `PORT_TAKEN`
   */
  listen(host: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `cannot listen at ${host}:${port}: ${cause.code ?? cause.message}`
        reject(new UnavailableError('PORT_TAKEN', message, { host, port }, { cause }))
      })
      this.#server.listen(port, host, () => {
        const bound = this.#server.address()
        const chosen = typeof bound === 'object' && bound !== null ? bound.port : port
        resolve(`http://${host.includes(':') ? `[${host}]` : host}:${chosen}`)
      })
    })
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    this.#server.closeAllConnections()
    await closed
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        sendProblem(response, 405, 'USAGE', 'only GET and HEAD are answered')
        return
      }
      const path = request.url?.split('?', 1)[0] ?? '/'
      if (path.length > PATH_CHARS_MAX) throw notFound()
      if (path === '/healthz') this.#sendHealth(response)
      else this.#send(response, request, this.#answer(path))
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      sendProblem(response, statusOf(error.code), error.code, error.message)
    }
  }

  #sendHealth(response: ServerResponse): void {
    const health = this.#options.health()
    response.writeHead(health.ok ? 200 : 503, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(health)}\n`)
  }

  #send(response: ServerResponse, request: IncomingMessage, answer: Answer): void {
    const { type, cache, body } = answer
    const byteLength = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    response.writeHead(200, {
      'content-type': type,
      'cache-control': cache,
      'content-length': byteLength,
      'x-content-type-options': 'nosniff',
      // Verified by whoever reads it, wherever it comes from.
      'access-control-allow-origin': '*',
    })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    this.#waiting.add(response, byteLength)
    response.end(body)
  }

  #answer(path: string): Answer {
    if (path === '/metrics') {
      const type = 'text/plain; version=0.0.4; charset=utf-8'
      return { type, cache: 'no-store', body: this.#options.metrics() }
    }
    const [, text = '', rest = ''] = /^\/capsule\/([a-z0-9]+)\/(.+)$/.exec(path) ?? []
    if (text === '' || !this.#options.showsCapsules) throw notFound()
    if (this.#waiting.isFull) {
      throw new UnavailableError('OVERLOADED', 'clients have not taken what they asked for')
    }
    const { name, manifest, signed } = this.#publicCapsule(parseName(text))
    if (rest === 'manifest.cbor') {
      return { type: 'application/cose', cache: IMMUTABLE, body: signed }
    }
    const head = this.#options.headOf(name)
    if (head === undefined) throw notFound()
    if (rest === 'checkpoint') {
      const body = formatCheckpoint(name, head, manifestKey(manifest, 'writer'))
      return { type: 'text/plain; charset=utf-8', cache: CHANGING, body }
    }
    if (rest.startsWith('payload/')) return this.#payload(name, rest.slice(8), head.size)
    return this.#tile(name, readTilePath(rest), head.size)
  }

  /** A capsule that anybody may read. One that nobody may see is not told from one that is not. */
  #publicCapsule(name: CapsuleName): SignedManifest {
    if (isDropped(this.#options.store, name)) throw notFound()
    const key = String.fromCharCode(...name)
    const known = this.#manifests.get(key)
    if (known !== undefined) return known
    const signed = this.#options.store.manifest(name)
    if (signed === undefined) throw notFound()
    const opened = openManifest(signed, name)
    if (opened.manifest.type !== 'capsule' || opened.manifest.policy.read !== 'any') {
      throw notFound()
    }
    this.#manifests.set(key, opened)
    if (this.#manifests.size > MANIFESTS_KEPT) {
      this.#manifests.delete(this.#manifests.keys().next().value as string)
    }
    return opened
  }

  /** Any tile, full or partial, of any tree up to the checkpoint that is shown now (C2SP). */
  #tile(name: CapsuleName, { level, n, width }: TilePath, size: number): Answer {
    const height = level === 'entries' ? 0 : level
    if (width > tileWidth(height, n, size)) throw notFound()
    const { store } = this.#options
    const type = 'application/octet-stream'
    if (level !== 'entries') {
      const body = store.tile(name, MAIN_BRANCH, level, n, width)
      return { type, cache: IMMUTABLE, body }
    }
    const parts: Uint8Array[] = []
    const range = { start: n * 256, end: n * 256 + width }
    for (const { header } of store.scan(name, MAIN_BRANCH, range)) {
      parts.push(Uint8Array.of(header.byteLength >> 8, header.byteLength), header)
    }
    return { type, cache: IMMUTABLE, body: concatBytes(...parts) }
  }

  /** What the payload hash covers. It can be erased, so nobody may keep it for long. */
  #payload(name: CapsuleName, text: string, size: number): Answer {
    const index = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : size
    if (index >= size) throw notFound()
    const { state, body } = this.#options.store.entry(name, MAIN_BRANCH, index)
    if (state === 'erased') throw new UnavailableError('PAYLOAD_ERASED', 'it was erased')
    if (body === undefined) throw new UnavailableError('PAYLOAD_ABSENT', 'it is not here')
    return { type: 'application/octet-stream', cache: 'public, max-age=60', body }
  }
}

function readTilePath(path: string): TilePath {
  try {
    return parseTilePath(path)
  } catch (error) {
    if (isLongshoreError(error)) throw notFound()
    throw error
  }
}

/** Problem details of RFC 9457. */
function sendProblem(
  response: ServerResponse,
  status: number,
  code: ErrorCode,
  detail: string,
): void {
  const problem = { title: code, status, code, detail, next: NEXT[code] ?? ERROR_CODES[code].next }
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(`${JSON.stringify(problem)}\n`)
}

function statusOf(code: ErrorCode): number {
  if (code === 'PAYLOAD_ERASED') return 410
  if (code === 'NOT_FOUND' || code === 'PAYLOAD_ABSENT' || code === 'NAME_INVALID') return 404
  return ERROR_CODES[code].class === 'UsageError' ? 400 : 503
}

function notFound(): UnavailableError {
  return new UnavailableError('NOT_FOUND', 'there is nothing here, or nothing that is public')
}

/** `http://HOST:PORT` or `HOST:PORT`, IPv6 in square brackets. */
export function parseHttpAddress(text: string): { readonly host: string; readonly port: number } {
  const pattern = /^(?:http:\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/
  const match = pattern.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) {
    throw new UsageError('USAGE', 'an HTTP address is HOST:PORT', { address: text })
  }
  return { host, port }
}
