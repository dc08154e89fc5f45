/**
 * Appends pieces that bring their own times, many at once.
 *
 * `appendStream` of the client gives every entry the present time; here each append is a call of
 * its own. They share commits, because up to a window of them is under way at any moment.
 *
 * @module
 */
import type { Ack, AppendOptions, Capsule } from '@longshore/client/node'
import type { Piece } from './input/piece.ts'

/** Enough for large commits. */
const ENTRIES_IN_FLIGHT_MAX = 4096
/** Two commits of the largest size. */
const BYTES_IN_FLIGHT_MAX = 8_388_608

/**
 * One acknowledgement per entry, in order; takes from `pieces` only as fast as they come. If
 * `pieces` throws, so does this, after everything before has been acknowledged.
 */
export async function* appendTimed(
  capsule: Capsule,
  pieces: AsyncIterable<Piece>,
  terms: AppendOptions,
): AsyncGenerator<Ack> {
  const window = new Window()
  void fill(window, capsule, pieces, terms)
  for (;;) {
    const ack = window.acks.shift()
    if (ack !== undefined) yield ack
    else if (window.failure !== undefined) throw window.failure.error
    else if (window.end === undefined || window.entries > 0) await window.changed()
    else if ('error' in window.end) throw window.end.error
    else return
  }
}

/** Never rejects: what goes wrong is kept in the window. */
async function fill(
  window: Window,
  capsule: Capsule,
  pieces: AsyncIterable<Piece>,
  terms: AppendOptions,
): Promise<void> {
  try {
    for await (const { payload, timeUs } of pieces) {
      while (window.full && window.failure === undefined) await window.changed()
      if (window.failure !== undefined) return
      const options = timeUs === undefined ? terms : { ...terms, timeUs }
      window.add(capsule.append(payload, options), payload.length)
    }
    window.close({})
  } catch (error) {
    window.close({ error })
  }
}

/** What is under way, and what came of it. */
class Window {
  readonly acks: Ack[] = []
  entries = 0
  /** An append failed. */
  failure: { readonly error: unknown } | undefined
  /** No more pieces will come, perhaps because of an error. */
  end: { readonly error?: unknown } | undefined
  #bytes = 0
  #waiting: (() => void)[] = []

  get full(): boolean {
    return this.entries >= ENTRIES_IN_FLIGHT_MAX || this.#bytes >= BYTES_IN_FLIGHT_MAX
  }

  add(append: Promise<Ack>, bytes: number): void {
    this.entries += 1
    this.#bytes += bytes
    const settle = (): void => {
      this.entries -= 1
      this.#bytes -= bytes
      this.#wake()
    }
    append.then(
      (ack) => {
        this.acks.push(ack)
        settle()
      },
      (error: unknown) => {
        this.failure ??= { error }
        settle()
      },
    )
  }

  close(end: { readonly error?: unknown }): void {
    this.end = end
    this.#wake()
  }

  changed(): Promise<void> {
    return new Promise((done) => this.#waiting.push(done))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }
}
