/**
 * Heads of one capsule that mirrors have stated. A receipt has one checkpoint, so what counts is
 * how many mirrors have stated the same head, not how much each of them holds.
 *
 * Rule NW4 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  type Head,
  type MirrorCosignature,
} from '@longshore/capsule'

/** A mirror holds everything under a head durably. */
export interface MirrorStatement {
  readonly mirror: CapsuleName
  /** Whole seconds since 1970. */
  readonly timeS: number
  readonly signature: Uint8Array
}

/** A head, and the mirrors that have stated it. */
export interface StatedHead {
  readonly head: Head
  readonly statements: readonly MirrorStatement[]
}

/** What a receipt is made under. */
export interface CosignedHead {
  /** Undefined if no mirror has stated any. */
  readonly head: Head | undefined
  readonly mirrors: readonly MirrorCosignature[]
}

/** While entries stream each mirror states every few of the heads that it is sent. */
const HEADS_MAX = 256

export class StatedHeads {
  /** By size: all heads of one capsule are of one history. */
  readonly #heads = new Map<number, { head: Head; statements: Map<string, MirrorStatement> }>()

  add(head: Head, statement: MirrorStatement): void {
    const known = this.#heads.get(head.size)
    // Another history: the home was put back from a copy.
    if (known !== undefined && !bytesEqual(known.head.root, head.root)) return
    const stated = known ?? { head, statements: new Map() }
    stated.statements.set(formatName(statement.mirror), statement)
    this.#heads.set(head.size, stated)
    if (this.#heads.size > HEADS_MAX) this.#forgetOne()
  }

  /** Everything that was added and not forgotten. */
  *all(): Iterable<StatedHead> {
    for (const { head, statements } of this.#heads.values()) {
      yield { head, statements: [...statements.values()] }
    }
  }

  /** The head above `index` that most mirrors have stated; of several the newest. */
  best(index: number, isWanted: (head: Head) => boolean = () => true): StatedHead | undefined {
    let best: StatedHead | undefined
    for (const stated of this.all()) {
      const { head, statements } = stated
      if (head.size <= index || !isWanted(head)) continue
      const lead = statements.length - (best?.statements.length ?? 0)
      if (lead > 0 || (lead === 0 && head.size > (best?.head.size ?? 0))) best = stated
    }
    return best
  }

  /** The one that was added first, but not the best. */
  #forgetOne(): void {
    const best = this.best(0)?.head.size
    for (const size of this.#heads.keys()) {
      if (size === best) continue
      this.#heads.delete(size)
      return
    }
  }
}
