/**
 * What mirrors say they hold while a run goes on, and whether that can be: an acknowledgement means
 * that its copies are there now, and not only when the run is over.
 *
 * 1. A mirror never has less than it once had, whatever happened to its process.
 * 2. At most so many mirrors lack what is acknowledged as the promise leaves out. One that cannot
 *    be asked counts for nothing.
 * 3. A mirror whose disk is lost counts for nothing until it has been filled again.
 *
 * @module
 */
import { BrokenHistory } from './history.ts'

export interface CopiesOptions {
  readonly mirrors: number
  /** Of them, those that an acknowledgement promises. */
  readonly copies: number
}

type Sizes = ReadonlyMap<string, number>

export class Copies {
  /** Times that all mirrors were looked at. */
  looks = 0
  readonly #lackingMax: number
  /** By mirror: the most that it told of each capsule. */
  readonly #told = new Map<string, Map<string, number>>()
  /** By mirror: what it must have of each capsule before it counts again. */
  readonly #excused = new Map<string, Sizes>()
  readonly #lost = new Set<string>()

  constructor({ mirrors, copies }: CopiesOptions) {
    this.#lackingMax = mirrors - copies
  }

  /** Its disk is damaged; whatever it says is worth nothing. */
  lose(mirror: string): void {
    this.#lost.add(mirror)
    this.#told.delete(mirror)
  }

  /** It is whole again, or another one in its place; so much was acknowledged until then. */
  regain(mirror: string, acked: Sizes): void {
    this.#lost.delete(mirror)
    this.#excused.set(mirror, acked)
  }

  /**
   * @param acked of each capsule, before any mirror was asked
   * @param held by mirror: of each capsule that it told of
   */
  look(acked: Sizes, held: ReadonlyMap<string, Sizes>): void {
    this.looks++
    for (const [mirror, sizes] of held) {
      if (!this.#lost.has(mirror)) this.#hear(mirror, sizes)
    }
    for (const [capsule, size] of acked) this.#checkCapsule(capsule, size, held)
  }

  #hear(mirror: string, sizes: Sizes): void {
    const told = this.#told.get(mirror) ?? new Map<string, number>()
    this.#told.set(mirror, told)
    for (const [capsule, size] of sizes) {
      const before = told.get(capsule) ?? 0
      if (size < before) {
        throw new BrokenHistory(`${mirror} has ${size} entries of ${capsule}, and had ${before}`)
      }
      told.set(capsule, size)
    }
  }

  #checkCapsule(capsule: string, acked: number, held: ReadonlyMap<string, Sizes>): void {
    const lacking: string[] = []
    for (const [mirror, sizes] of held) {
      const size = sizes.get(capsule)
      if (size === undefined || size >= acked || this.#lost.has(mirror)) continue
      if (size < (this.#excused.get(mirror)?.get(capsule) ?? 0)) continue
      lacking.push(`${mirror} has ${size}`)
    }
    if (lacking.length <= this.#lackingMax) return
    throw new BrokenHistory(`${acked} of ${capsule} are acknowledged, but ${lacking.join(', ')}`)
  }
}
