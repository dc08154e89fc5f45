/**
 * What is due when: a heap of actions in the order of their time, and of their arrival where the
 * times are equal.
 *
 * @module
 */

export interface Timer {
  readonly atUs: number
  readonly order: number
  /** Undefined once cancelled or done. */
  action: (() => void) | undefined
}

export class Timers {
  readonly #heap: Timer[] = []
  #lastOrder = 0
  #cancelledCount = 0

  /** When the next one is due. */
  get nextUs(): number | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].action === undefined) this.#pop()
    return this.#heap[0]?.atUs
  }

  schedule(atUs: number, action: () => void): Timer {
    const timer: Timer = { atUs, order: ++this.#lastOrder, action }
    this.#heap.push(timer)
    this.#up(this.#heap.length - 1)
    return timer
  }

  cancel(timer: Timer | undefined): void {
    if (timer?.action === undefined) return
    timer.action = undefined
    // Cancelled ones stay in the heap until they come up, but never make up most of it.
    if (++this.#cancelledCount * 2 > this.#heap.length + 64) this.#sweep()
  }

  /** Runs what is due; what it schedules meanwhile runs in the same call if it is due, too. */
  run(nowUs: number): void {
    for (let nextUs = this.nextUs; nextUs !== undefined && nextUs <= nowUs; nextUs = this.nextUs) {
      const { action } = this.#heap[0] as Timer
      ;(this.#heap[0] as Timer).action = undefined
      this.#pop(false)
      action?.()
    }
  }

  #sweep(): void {
    const kept = this.#heap.filter(({ action }) => action !== undefined).sort(compare)
    this.#heap.length = 0
    this.#heap.push(...kept)
    this.#cancelledCount = 0
  }

  #pop(wasCancelled = true): void {
    if (wasCancelled) this.#cancelledCount = Math.max(0, this.#cancelledCount - 1)
    const last = this.#heap.pop() as Timer
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #up(at: number): void {
    for (let i = at; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!this.#swapIfLess(i, parent)) return
      i = parent
    }
  }

  #down(at: number): void {
    for (let i = at; ; ) {
      const left = 2 * i + 1
      if (left >= this.#heap.length) return
      const right = left + 1
      const isRightLess =
        right < this.#heap.length &&
        compare(this.#heap[right] as Timer, this.#heap[left] as Timer) < 0
      const child = isRightLess ? right : left
      if (!this.#swapIfLess(child, i)) return
      i = child
    }
  }

  #swapIfLess(child: number, parent: number): boolean {
    const [a, b] = [this.#heap[child] as Timer, this.#heap[parent] as Timer]
    if (compare(a, b) >= 0) return false
    this.#heap[child] = b
    this.#heap[parent] = a
    return true
  }
}

function compare(a: Timer, b: Timer): number {
  return a.atUs - b.atUs || a.order - b.order
}
