/**
 * One hash over everything that happened in a world, in order: the same seed gives the same digest,
 * byte for byte (SM15).
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { NodeEvent, OverlayEvent } from '@longshore/engine'

export class Digest {
  readonly #hash = createHash('sha256')
  count = 0

  event(nowUs: number, node: string, event: NodeEvent | OverlayEvent): void {
    this.note(nowUs, node, event.type)
    if (event.type === 'received') this.#hash.update(event.bytes)
  }

  note(nowUs: number, who: string, what: string): void {
    this.count++
    this.#hash.update(`${nowUs} ${who} ${what}\n`)
  }

  /** 16 hex digits; the world may go on afterwards. */
  get text(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
