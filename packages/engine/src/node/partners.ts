/**
 * When the other mirrors of each capsule are asked for: every minute, at first sooner, and where
 * there are so many capsules that this would be too often, in turns at a steady rate. What is new
 * comes first.
 *
 * Rule MI21 of docs/spec/mirror.md.
 *
 * @module
 */

/** How often the other mirrors of one capsule are asked for. */
const INTERVAL_US = 60_000_000
/** At first, while nobody is found: a node that has just started may have no way yet. */
const FIRST_PAUSES_US = [2_000_000, 4_000_000, 8_000_000, 16_000_000, 32_000_000]
/** Questions asked together, and how long until the next ones: 100,000 capsules take 52 minutes. */
const TOGETHER_MAX = 64
const PAUSE_US = 2_000_000

/** Capsules that are asked for again after the same time. */
interface Turn {
  readonly pauseUs: number
  /** Keys of names, and when each was asked for last; the one that waits longest first. */
  readonly askedUs: Map<string, number>
  readonly next: Turn | undefined
}

interface Due {
  readonly key: string
  readonly askedUs: number
  /** Undefined: it was never asked for, which counts as long ago. */
  readonly turn: Turn | undefined
}

export class Partners {
  /** Those that were never asked for. */
  readonly #fresh = new Set<string>()
  readonly #settled: Turn = { pauseUs: INTERVAL_US, askedUs: new Map(), next: undefined }
  readonly #first: Turn = FIRST_PAUSES_US.reduceRight<Turn>((next, pauseUs) => {
    return { pauseUs, askedUs: new Map(), next }
  }, this.#settled)
  /** What was asked for before is asked for again as soon as its turn comes. */
  #hastenedUs = Number.NEGATIVE_INFINITY
  #pausedUntilUs = 0
  /** Known until something changes. */
  #dueUs: number | undefined

  add(key: string): void {
    for (const { askedUs } of this.#turns()) if (askedUs.has(key)) return
    this.#fresh.add(key)
    this.#dueUs = undefined
  }

  delete(key: string): void {
    this.#fresh.delete(key)
    for (const { askedUs } of this.#turns()) askedUs.delete(key)
    this.#dueUs = undefined
  }

  /** Somebody serves it: from now on that is enough to ask every minute. */
  found(key: string, nowUs: number): void {
    for (const { askedUs } of this.#turns()) {
      if (askedUs === this.#settled.askedUs || !askedUs.delete(key)) continue
      this.#settled.askedUs.set(key, nowUs)
      this.#dueUs = undefined
    }
  }

  /** There is somebody new to ask. */
  hasten(nowUs: number): void {
    this.#hastenedUs = nowUs
    this.#pausedUntilUs = 0
    this.#dueUs = undefined
  }

  /** When the next questions are due. */
  get dueUs(): number {
    this.#dueUs ??= this.#nextUs()
    return this.#dueUs
  }

  /** The names to ask for now. */
  takeDue(nowUs: number): string[] {
    if (nowUs < this.dueUs) return []
    const due = [...this.#dueAt(nowUs)].sort((a, b) => a.askedUs - b.askedUs).slice(0, TOGETHER_MAX)
    for (const { key, turn } of due) {
      if (turn === undefined) this.#fresh.delete(key)
      else turn.askedUs.delete(key)
      const next = turn === undefined ? this.#first : (turn.next ?? this.#settled)
      next.askedUs.set(key, nowUs)
    }
    if (due.length === TOGETHER_MAX) this.#pausedUntilUs = nowUs + PAUSE_US
    this.#dueUs = undefined
    return due.map(({ key }) => key)
  }

  /** Of each turn as many as may be asked for together. */
  *#dueAt(nowUs: number): Iterable<Due> {
    let count = 0
    for (const key of this.#fresh) {
      if (++count > TOGETHER_MAX) break
      yield { key, askedUs: Number.MIN_SAFE_INTEGER, turn: undefined }
    }
    for (const turn of this.#turns()) {
      count = 0
      for (const [key, askedUs] of turn.askedUs) {
        if (++count > TOGETHER_MAX || this.#againUs(askedUs, turn) > nowUs) break
        yield { key, askedUs, turn }
      }
    }
  }

  #nextUs(): number {
    if (this.#fresh.size > 0) return this.#pausedUntilUs
    let nextUs = Number.POSITIVE_INFINITY
    for (const turn of this.#turns()) {
      const [askedUs] = turn.askedUs.values()
      if (askedUs !== undefined) nextUs = Math.min(nextUs, this.#againUs(askedUs, turn))
    }
    return Math.max(this.#pausedUntilUs, nextUs)
  }

  #againUs(askedUs: number, { pauseUs }: Turn): number {
    return askedUs < this.#hastenedUs ? this.#hastenedUs : askedUs + pauseUs
  }

  *#turns(): Iterable<Turn> {
    for (let turn: Turn | undefined = this.#first; turn !== undefined; turn = turn.next) yield turn
  }
}
