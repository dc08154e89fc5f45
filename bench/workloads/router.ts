/**
 * A router in the middle: what arrives on one link leaves on another, without any socket.
 *
 * Three overlay machines in one process. What the first one wrote for the third is given to the
 * router again and again, in pieces as a socket would bring them; each piece is copied first,
 * because the router changes what it received. The copy is part of our number, and alone the limit.
 *
 * @module
 */
import type { OverlayEffect, OverlayEvent } from '@longshore/engine'
import { OverlayWorld, Prng, type WorldNode } from '@longshore/engine/testing'
import type { Contender, Row } from '../frame/row.ts'

const PIECE_BYTES = 65_536

interface Stream {
  /** Whole frames, cut anywhere. */
  readonly pieces: readonly Uint8Array[]
  readonly frames: number
  readonly byteLength: number
}

class Relay {
  readonly #router: WorldNode
  readonly #stream: Stream
  readonly #connection: number
  #writtenBytes = 0

  constructor(payloadBytes: number, isBulk: boolean) {
    const world = new OverlayWorld(new Prng(1))
    this.#router = world.router()
    const [from, to] = [world.node(), world.node()]
    from.join(this.#router)
    to.join(this.#router)
    world.run(1000)
    const payload = new Uint8Array(payloadBytes)
    const send = (): OverlayEffect[] =>
      from.overlay.step({
        ...{ type: 'send', destination: to.name, source: from.name, payload, isBulk },
      })
    // The first frames name both ends, look up the route, and then announce a label.
    for (let i = 0; i < 4; i++) {
      from.step({ type: 'send', destination: to.name, source: from.name, payload, isBulk })
      world.run(1000)
    }
    const { pieces, frames } = collect(send, from, payloadBytes)
    this.#connection = this.#connectionOf(from)
    const byteLength = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#stream = { pieces, frames, byteLength }
  }

  /** The router's own number for the link to this node. */
  #connectionOf(node: WorldNode): number {
    for (const link of this.#router.overlay.links) {
      if (link.remote === node.address) return link.connection
    }
    throw new Error('the node has no link to the router')
  }

  get frames(): number {
    return this.#stream.frames
  }

  get byteLength(): number {
    return this.#stream.byteLength
  }

  copy(): Uint8Array[] {
    return this.#stream.pieces.map((piece) => piece.slice())
  }

  /** Everything through the router once; what it writes is taken from it at once. */
  relay(): void {
    this.#writtenBytes = 0
    for (const bytes of this.copy()) {
      this.#step({ type: 'received', connection: this.#connection, bytes })
    }
    if (this.#writtenBytes !== this.#stream.byteLength) {
      throw new Error(`forwarded ${this.#writtenBytes} of ${this.#stream.byteLength} bytes`)
    }
  }

  #step(event: OverlayEvent): void {
    for (const effect of this.#router.overlay.step(event)) {
      if (effect.type !== 'write') continue
      for (const chunk of effect.chunks) this.#writtenBytes += chunk.length
      this.#step({ type: 'drained', connection: effect.connection })
    }
  }
}

/** A megabyte of frames as the sender would write them, cut into pieces. */
function collect(send: () => OverlayEffect[], from: WorldNode, payloadBytes: number) {
  const frames = Math.ceil((16 * PIECE_BYTES) / payloadBytes)
  const chunks: Uint8Array[] = []
  for (let i = 0; i < frames; i++) {
    for (const effect of send()) {
      if (effect.type !== 'write') continue
      chunks.push(...effect.chunks.map((chunk) => chunk.slice()))
      from.overlay.step({ type: 'drained', connection: effect.connection })
    }
  }
  const all = Buffer.concat(chunks)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < all.length; at += PIECE_BYTES) {
    pieces.push(new Uint8Array(all.subarray(at, at + PIECE_BYTES)))
  }
  return { pieces, frames }
}

function contenders(payloadBytes: number, isBulk: boolean, unitOf: (relay: Relay) => number) {
  return async (): Promise<readonly Contender[]> => {
    const relay = new Relay(payloadBytes, isBulk)
    const rate = (windowMs: number, work: () => void): number => {
      const started = performance.now()
      let units = 0
      let elapsed = 0
      do {
        work()
        units += unitOf(relay)
        elapsed = performance.now() - started
      } while (elapsed < windowMs)
      return (units * 1000) / elapsed
    }
    const contender = (name: string, role: Contender['role'], work: () => void): Contender => ({
      ...{ name, role, durability: 'no disk' },
      measure: (windowMs) => rate(windowMs, work),
    })
    return [
      contender('longshore', 'longshore', () => relay.relay()),
      contender('copy of the same bytes', 'limit', () => void relay.copy()),
    ]
  }
}

export const routerRows: readonly Row[] = [
  {
    title: 'forward frames of 1 KiB',
    ...{ unit: 'frames/s', better: 'more', target: 150_000 },
    contenders: contenders(1024, false, (relay) => relay.frames),
  },
  {
    title: 'forward frames of 100 bytes',
    ...{ unit: 'frames/s', better: 'more' },
    contenders: contenders(100, false, (relay) => relay.frames),
  },
  {
    title: 'forward bulk in frames of 32 KiB',
    ...{ unit: 'MB/s', better: 'more' },
    contenders: contenders(32_768, true, (relay) => relay.byteLength / 1e6),
  },
]
