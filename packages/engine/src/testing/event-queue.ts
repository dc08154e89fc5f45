/**
 * The order of things in a simulated world: by virtual time, and among equals by the order in
 * which they were scheduled. A binary heap, so that ten thousand nodes fit into one.
 *
 * @module
 */
import { assert } from '@longshore/capsule'

interface Scheduled {
  readonly atUs: number
  readonly order: number
  readonly action: () => void
}

export class EventQueue {
  readonly #heap: Scheduled[] = []
  #nowUs: number
  #order = 0

  constructor(startUs: number = 0) {
    this.#nowUs = startUs
  }

  /** Virtual time in microseconds; never goes back. */
  get nowUs(): number {
    return this.#nowUs
  }

  /** Things that have not happened yet. */
  get count(): number {
    return this.#heap.length
  }

  /** When the next thing happens; undefined if nothing is left. */
  get nextUs(): number | undefined {
    return this.#heap[0]?.atUs
  }

  schedule(atUs: number, action: () => void): void {
    assert(Number.isSafeInteger(atUs), 'virtual time is in whole microseconds')
    const item = { atUs: Math.max(atUs, this.#nowUs), order: this.#order++, action }
    const heap = this.#heap
    let at = heap.length
    heap.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Scheduled
      if (!isBefore(item, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = item
  }

  /** Lets the next thing happen. False if nothing is left. */
  step(): boolean {
    const first = this.#heap[0]
    if (first === undefined) return false
    this.#removeFirst()
    this.#nowUs = first.atUs
    first.action()
    return true
  }

  /** Lets everything happen that is due until then, and moves the time there. */
  runUntil(atUs: number): void {
    while ((this.nextUs ?? Number.POSITIVE_INFINITY) <= atUs) this.step()
    this.#nowUs = Math.max(this.#nowUs, atUs)
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop() as Scheduled
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Scheduled)) child++
      const below = heap[child] as Scheduled
      if (!isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order)
}
