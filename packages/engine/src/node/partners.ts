/**
 * When the other mirrors of each capsule are asked for: every minute, and where there are so many
 * capsules that this would be too often, in turns at a steady rate. What is new comes first.
 *
 * Rule MI21 of docs/spec/mirror.md.
 *
 * @module
 */

/** How often the other mirrors of one capsule are asked for. */
const INTERVAL_US = 60_000_000
/** Questions asked together, and how long until the next ones: 100,000 capsules take 52 minutes. */
const TOGETHER_MAX = 64
const PAUSE_US = 2_000_000

export class Partners {
  /** Keys of names, and when each was asked for last; the one that waits longest first. */
  readonly #askedUs = new Map<string, number>()
  /** Those that were never asked for. */
  readonly #fresh = new Set<string>()
  /** What was asked for before is asked for again as soon as its turn comes. */
  #hastenedUs = Number.NEGATIVE_INFINITY
  #pausedUntilUs = 0

  add(key: string): void {
    if (!this.#askedUs.has(key)) this.#fresh.add(key)
  }

  delete(key: string): void {
    this.#fresh.delete(key)
    this.#askedUs.delete(key)
  }

  /** There is somebody new to ask. */
  hasten(nowUs: number): void {
    this.#hastenedUs = nowUs
    this.#pausedUntilUs = 0
  }

  /** When the next questions are due. */
  get dueUs(): number {
    if (this.#fresh.size > 0) return this.#pausedUntilUs
    const [askedUs] = this.#askedUs.values()
    if (askedUs === undefined) return Number.POSITIVE_INFINITY
    return Math.max(this.#pausedUntilUs, this.#againUs(askedUs))
  }

  /** The names to ask for now. */
  takeDue(nowUs: number): string[] {
    if (nowUs < this.dueUs) return []
    const keys: string[] = []
    for (const key of this.#fresh) {
      if (keys.length === TOGETHER_MAX) break
      keys.push(key)
    }
    for (const [key, askedUs] of this.#askedUs) {
      if (keys.length === TOGETHER_MAX || this.#againUs(askedUs) > nowUs) break
      keys.push(key)
    }
    for (const key of keys) {
      this.delete(key)
      this.#askedUs.set(key, nowUs)
    }
    if (keys.length === TOGETHER_MAX) this.#pausedUntilUs = nowUs + PAUSE_US
    return keys
  }

  #againUs(askedUs: number): number {
    return askedUs < this.#hastenedUs ? this.#hastenedUs : askedUs + INTERVAL_US
  }
}
