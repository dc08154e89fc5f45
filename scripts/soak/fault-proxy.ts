/**
 * A TCP proxy with bad weather: it delays, throttles, stalls and breaks what passes, as a network
 * between two machines would, and never changes or drops a byte of a connection that lives on.
 *
 * Which faults come, and how bad they are, is drawn from a seed; what they meet depends on the
 * processes. Each direction is a queue with a due time per chunk, and a bound: while it is full
 * nothing is read, so a stalled link holds its sender back as TCP does.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Prng } from '@longshore/engine/testing'

/** Bytes held for one direction before nothing more is read. */
const HELD_BYTES_MAX = 262_144
const HOST = '127.0.0.1'
const DELAY_MS_MAX = 120
const JITTER_MS_MAX = 80
const BYTES_PER_S_MIN = 20_000
const BYTES_PER_S_MAX = 400_000

export type LinkFault =
  /** Everything arrives later, in order. */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly jitterMs: number }
  | { readonly kind: 'bandwidth'; readonly bytesPerS: number }
  /** Nothing moves; connections stay. */
  | { readonly kind: 'stall' }
  /** Nothing moves from the dialler to the target (`up`), or the other way. */
  | { readonly kind: 'one-way'; readonly direction: 'up' | 'down' }
  /** Every connection is reset, new ones are taken at once. */
  | { readonly kind: 'reset' }
  /** The target sees its connections end; the dialler hears nothing. */
  | { readonly kind: 'half-open' }
  /** Every connection is reset, and so is each new one. */
  | { readonly kind: 'refuse' }

export type LinkFaultKind = LinkFault['kind']

const KINDS: readonly LinkFaultKind[] = [
  ...(['delay', 'bandwidth', 'stall', 'one-way', 'reset', 'half-open', 'refuse'] as const),
]

export function drawLinkFault(prng: Prng): LinkFault {
  const kind = prng.pick(KINDS)
  switch (kind) {
    case 'delay':
      return {
        kind,
        delayMs: prng.between(1, DELAY_MS_MAX),
        jitterMs: prng.below(JITTER_MS_MAX),
      }
    case 'bandwidth':
      return { kind, bytesPerS: prng.between(BYTES_PER_S_MIN, BYTES_PER_S_MAX) }
    case 'one-way':
      return { kind, direction: prng.pick(['up', 'down'] as const) }
    default:
      return { kind }
  }
}

export interface ProxyCounters {
  connections: number
  /** Connections that a fault has broken. */
  broken: number
  bytes: number
}

interface Pair {
  readonly dialler: Socket
  readonly target: Socket
  readonly up: Pipe
  readonly down: Pipe
}

export class FaultProxy {
  readonly counters: ProxyCounters = { connections: 0, broken: 0, bytes: 0 }
  readonly #server: Server
  readonly #prng: Prng
  readonly #pairs = new Set<Pair>()
  /** Diallers whose other side is gone without their knowledge. */
  readonly #orphans = new Set<Socket>()
  #targetPort: number | undefined
  #fault: LinkFault | undefined

  private constructor(prng: Prng) {
    this.#prng = prng
    this.#server = createServer({ pauseOnConnect: true }, (dialler) => this.#accept(dialler))
  }

  static async open(prng: Prng): Promise<FaultProxy> {
    const proxy = new FaultProxy(prng)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(0, HOST, resolve)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Where new connections go; a process that was started again has another port. */
  aim(targetPort: number | undefined): void {
    this.#targetPort = targetPort
  }

  /** Ends the fault before it. `undefined` is good weather. */
  set(fault: LinkFault | undefined): void {
    this.#fault = fault
    for (const orphan of this.#orphans) orphan.destroy()
    if (fault?.kind === 'reset' || fault?.kind === 'refuse') {
      for (const { dialler, target } of this.#pairs) {
        this.counters.broken++
        reset(dialler)
        reset(target)
      }
    }
    if (fault?.kind === 'half-open') for (const pair of this.#pairs) this.#orphan(pair)
    for (const { up, down } of this.#pairs) {
      up.pump()
      down.pump()
    }
  }

  async close(): Promise<void> {
    for (const { dialler, target } of this.#pairs) {
      dialler.destroy()
      target.destroy()
    }
    for (const orphan of this.#orphans) orphan.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #orphan(pair: Pair): void {
    this.counters.broken++
    this.#pairs.delete(pair)
    this.#orphans.add(pair.dialler)
    pair.dialler.removeAllListeners('close')
    pair.dialler.on('close', () => this.#orphans.delete(pair.dialler))
    pair.up.abandon()
    pair.down.abandon()
    pair.target.destroy()
  }

  #accept(dialler: Socket): void {
    dialler.on('error', () => {})
    if (this.#targetPort === undefined || this.#fault?.kind === 'refuse') {
      reset(dialler)
      return
    }
    this.counters.connections++
    dialler.setNoDelay(true)
    const target = connect({ host: HOST, port: this.#targetPort, noDelay: true })
    target.on('error', () => {})
    const weather = (direction: 'up' | 'down'): PipeWeather => ({
      draw: (byteLength: number) => this.#hold(byteLength),
      isStopped: () => isStopped(this.#fault, direction),
    })
    const up = new Pipe(dialler, target, weather('up'))
    const down = new Pipe(target, dialler, weather('down'))
    const pair: Pair = { dialler, target, up, down }
    this.#pairs.add(pair)
    dialler.on('close', () => {
      this.#pairs.delete(pair)
      target.destroy()
    })
    target.on('close', () => {
      if (this.#pairs.delete(pair)) dialler.destroy()
    })
    dialler.resume()
  }

  /** How long a chunk is under way, and for how long it keeps the line busy. */
  #hold(byteLength: number): Hold {
    this.counters.bytes += byteLength
    const fault = this.#fault
    if (fault?.kind === 'delay') {
      const jitterMs = fault.jitterMs === 0 ? 0 : this.#prng.below(fault.jitterMs)
      return { delayMs: fault.delayMs + jitterMs, busyMs: 0 }
    }
    if (fault?.kind === 'bandwidth') {
      return { delayMs: 0, busyMs: (byteLength * 1000) / fault.bytesPerS }
    }
    return { delayMs: 0, busyMs: 0 }
  }
}

interface Hold {
  readonly delayMs: number
  readonly busyMs: number
}

interface PipeWeather {
  draw(byteLength: number): Hold
  isStopped(): boolean
}

interface Chunk {
  readonly bytes: Uint8Array
  readonly dueMs: number
}

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #weather: PipeWeather
  #chunks: Chunk[] = []
  #heldBytes = 0
  #lastDueMs = 0
  #hasEnded = false
  #isAbandoned = false
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket, weather: PipeWeather) {
    this.#from = from
    this.#to = to
    this.#weather = weather
    from.on('data', (bytes: Uint8Array) => this.#take(bytes))
    from.on('end', () => {
      this.#hasEnded = true
      this.pump()
    })
    from.on('close', () => clearTimeout(this.#timer))
    to.on('drain', () => this.pump())
  }

  /** From now on everything is swallowed. */
  abandon(): void {
    this.#isAbandoned = true
    this.#chunks = []
    clearTimeout(this.#timer)
    this.#from.resume()
  }

  /** Passes on what is due. */
  pump(): void {
    clearTimeout(this.#timer)
    if (this.#isAbandoned || this.#weather.isStopped() || this.#to.writableNeedDrain) return
    const nowMs = performance.now()
    while (this.#chunks[0] !== undefined && this.#chunks[0].dueMs <= nowMs) {
      const { bytes } = this.#chunks.shift() as Chunk
      this.#heldBytes -= bytes.length
      if (!this.#to.write(bytes)) break
    }
    if (this.#heldBytes < HELD_BYTES_MAX) this.#from.resume()
    const [next] = this.#chunks
    if (next !== undefined) this.#timer = setTimeout(() => this.pump(), next.dueMs - nowMs)
    else if (this.#hasEnded) this.#to.end()
  }

  #take(bytes: Uint8Array): void {
    if (this.#isAbandoned) return
    const { delayMs, busyMs } = this.#weather.draw(bytes.length)
    const startMs = Math.max(performance.now() + delayMs, this.#lastDueMs)
    this.#lastDueMs = startMs + busyMs
    this.#chunks.push({ bytes, dueMs: this.#lastDueMs })
    this.#heldBytes += bytes.length
    if (this.#heldBytes >= HELD_BYTES_MAX) this.#from.pause()
    this.pump()
  }
}

function isStopped(fault: LinkFault | undefined, direction: 'up' | 'down'): boolean {
  return fault?.kind === 'stall' || (fault?.kind === 'one-way' && fault.direction === direction)
}

function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy()
}
