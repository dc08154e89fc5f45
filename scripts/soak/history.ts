/**
 * What happened in a run, as its writers, followers and mirrors saw it, and whether that can be.
 *
 * A capsule has one content: which line lies at which index. Whoever tells of an index tells the
 * same line, for ever, else the history is broken. On top of that:
 *
 * 1. A writer that was started several times appends a beginning of what each of its lives was
 *    given, life after life: nothing twice, nothing out of order.
 * 2. What a life has acknowledged was written by it or by those before it, so no later life has
 *    written over it.
 * 3. A follower tells each index once, in order, whatever happened to it.
 * 4. Everything acknowledged is on at least two mirrors in the end, and followers have everything.
 *
 * @module
 */

/** The history cannot be: a promise was broken. */
export class BrokenHistory extends Error {
  override readonly name = 'BrokenHistory'
}

export interface CapsuleHistoryOptions {
  /** Copies that an acknowledgement promises. */
  readonly copies: number
}

interface Life {
  readonly sent: string[]
  ackedSize: number
}

export class CapsuleHistory {
  readonly #copies: number
  readonly #lives: Life[] = []
  /** By index; undefined where nobody has told yet. */
  readonly #content: (string | undefined)[] = []
  /** By follower: the next index that it may tell. */
  readonly #followed = new Map<string, number>()
  /** By mirror: what it held in the end. */
  readonly #held = new Map<string, readonly string[]>()
  #ackCount = 0

  constructor({ copies }: CapsuleHistoryOptions) {
    this.#copies = copies
  }

  get ackCount(): number {
    return this.#ackCount
  }

  /** Largest size that any life has acknowledged. */
  get ackedSize(): number {
    return Math.max(0, ...this.#lives.map(({ ackedSize }) => ackedSize))
  }

  get sentCount(): number {
    return this.#lives.reduce((sum, { sent }) => sum + sent.length, 0)
  }

  /** A writer is started; what is sent and acknowledged from now on is its. */
  begin(): void {
    this.#lives.push({ sent: [], ackedSize: 0 })
  }

  /** The line is unique in this capsule. */
  sent(line: string): void {
    this.#life.sent.push(line)
  }

  acked(size: number): void {
    const life = this.#life
    this.#ackCount++
    if (size <= this.ackedSize) broken(`size ${size} was acknowledged after ${this.ackedSize}`)
    life.ackedSize = size
  }

  /** Where a follower goes on that is started again. */
  nextOf(follower: string): number {
    return this.#followed.get(follower) ?? 0
  }

  followed(follower: string, index: number, line: string): void {
    const next = this.nextOf(follower)
    if (index < next) broken(`${follower} went back or repeats: ${index} after ${next - 1}`)
    if (index > next) broken(`${follower} skipped ${next} to ${index - 1}`)
    this.#followed.set(follower, next + 1)
    this.#tell(follower, index, line)
  }

  /** Everything that a mirror holds in the end, from index 0. */
  held(mirror: string, lines: readonly string[]): void {
    this.#held.set(mirror, lines)
    for (const [index, line] of lines.entries()) this.#tell(mirror, index, line)
  }

  /**
   * The run is over, faults have ended: everything must have arrived.
   *
   * @param size of the capsule, as its writer says
   */
  check(size: number): void {
    if (size < this.ackedSize) broken(`${size} entries are left of ${this.ackedSize} acknowledged`)
    this.#checkCopies()
    for (const [follower, next] of this.#followed) {
      if (next !== size) broken(`${follower} has ${next} of ${size} entries`)
    }
    this.#checkLives(size)
  }

  #checkCopies(): void {
    const sizes = [...this.#held.values()].map((lines) => lines.length).sort((a, b) => b - a)
    const size = sizes[this.#copies - 1] ?? 0
    if (size < this.ackedSize) {
      broken(`${this.#copies} mirrors hold ${size} of ${this.ackedSize} acknowledged entries`)
    }
  }

  #checkLives(size: number): void {
    const lifeOf = new Map<string, [life: number, place: number]>()
    for (const [life, { sent }] of this.#lives.entries()) {
      for (const [place, line] of sent.entries()) {
        if (lifeOf.has(line)) broken(`${line} was sent twice: the run itself is wrong`)
        lifeOf.set(line, [life, place])
      }
    }
    let [lastLife, lastPlace] = [-1, -1]
    for (let index = 0; index < size; index++) {
      const line = this.#content[index]
      if (line === undefined) broken(`nobody has told what is at ${index}`)
      const found = lifeOf.get(line)
      if (found === undefined) broken(`at ${index} is ${line}, which nobody has sent`)
      const [life, place] = found
      const isNext = life === lastLife ? place === lastPlace + 1 : life > lastLife && place === 0
      if (!isNext) broken(`at ${index} is ${line}, which does not follow what is before it`)
      this.#checkNotOverwritten(index, life)
      lastLife = life
      lastPlace = place
    }
  }

  #checkNotOverwritten(index: number, life: number): void {
    for (const { ackedSize } of this.#lives.slice(0, life)) {
      if (index < ackedSize) broken(`${index} was acknowledged, and then written by a later life`)
    }
  }

  #tell(who: string, index: number, line: string): void {
    const known = this.#content[index]
    if (known === undefined) this.#content[index] = line
    else if (known !== line) broken(`${who} has ${line} at ${index}, others have ${known}`)
  }

  get #life(): Life {
    const life = this.#lives.at(-1)
    if (life === undefined) throw new Error('no writer was started')
    return life
  }
}

function broken(what: string): never {
  throw new BrokenHistory(what)
}
