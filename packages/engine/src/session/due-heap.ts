/**
 * Sessions in the order of the time at which each has something to do, so that a tick looks at
 * those that are due and at no others: a node has thousands that are idle.
 *
 * A binary heap in which each item knows its place: it is there once, and is moved, not added
 * again.
 *
 * @module
 */

/** Both fields belong to the heap. */
export interface Due {
  dueUs: number
  /** Negative: not in the heap. */
  place: number
}

export class DueHeap<TItem extends Due> {
  readonly #items: TItem[] = []

  /** Due before all others. */
  get first(): TItem | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

  /** Adds it, or moves it to another time. */
  put(item: TItem, dueUs: number): void {
    item.dueUs = dueUs
    if (item.place < 0) {
      item.place = this.#items.length
      this.#items.push(item)
    }
    this.#down(item, this.#up(item, item.place))
  }

  remove(item: TItem): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    item.dueUs = Number.POSITIVE_INFINITY
    const last = this.#items.pop() as TItem
    if (last !== item) this.#down(last, this.#up(last, place))
  }

  /** Removes all that are due at this time, and gives them in order. */
  takeUntil(nowUs: number): TItem[] {
    const taken: TItem[] = []
    for (;;) {
      const [first] = this.#items
      if (first === undefined || first.dueUs > nowUs) return taken
      this.remove(first)
      taken.push(first)
    }
  }

  /** Towards the first; returns where it belongs. */
  #up(item: TItem, start: number): number {
    let at = start
    while (at > 0) {
      const above = this.#items[(at - 1) >> 1] as TItem
      if (above.dueUs <= item.dueUs) break
      this.#set(above, at)
      at = (at - 1) >> 1
    }
    return at
  }

  #down(item: TItem, start: number): void {
    const items = this.#items
    let at = start
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      const right = items[child + 1]
      if (right !== undefined && right.dueUs < (items[child] as TItem).dueUs) child++
      const below = items[child] as TItem
      if (below.dueUs >= item.dueUs) break
      this.#set(below, at)
      at = child
    }
    this.#set(item, at)
  }

  #set(item: TItem, at: number): void {
    this.#items[at] = item
    item.place = at
  }
}
