/**
 * Labels of one link: a number of four bytes for a pair of names that keeps occurring.
 *
 * Each side assigns labels for what it sends, counting up, and never uses one again. A pair gets
 * its label with its second frame, so that a single question costs none. Labels unused for a while
 * are retired; both sides hold at most `labelsMax`. Rules FR5 to FR8 of docs/spec/frame.md.
 *
 * @module
 */
import { type CapsuleName, ProtocolError } from '@longshore/capsule'
import type { Next } from './next.ts'

/** A label of frames that we send. */
export interface OutLabel {
  /** 0: seen once, no label yet. */
  label: number
  isLive: boolean
  wasUsed: boolean
}

const LABEL_MAX = 0xffff_ffff

export class OutLabels {
  readonly #countMax: number
  readonly #pairs = new Map<string, OutLabel>()
  #last = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#pairs.size
  }

  /**
   * The label for a pair, to be announced with `onAssigned` before its first use; undefined if
   * this frame has to name both ends.
   */
  of(pair: string, onAssigned: (label: number) => void): OutLabel | undefined {
    const known = this.#pairs.get(pair)
    if (known === undefined) {
      if (this.#pairs.size < this.#countMax) {
        this.#pairs.set(pair, { label: 0, isLive: true, wasUsed: true })
      }
      return undefined
    }
    known.wasUsed = true
    if (known.label === 0) {
      if (this.#last === LABEL_MAX) return undefined
      known.label = ++this.#last
      onAssigned(known.label)
    }
    return known
  }

  /** Forgets what was not used since the last sweep; `onRetired` tells the other side. */
  sweep(onRetired: (label: number) => void): void {
    for (const [pair, out] of this.#pairs) {
      if (out.wasUsed) {
        out.wasUsed = false
        continue
      }
      out.isLive = false
      this.#pairs.delete(pair)
      if (out.label !== 0) onRetired(out.label)
    }
  }
}

/** What a label stands for. */
export interface LabelEnds {
  readonly destination: CapsuleName
  readonly source: CapsuleName
  readonly destinationKey: string
  /** Both names as one key. */
  readonly pair: string
}

/** A label of frames that we receive, with what was decided for it. */
export interface InLabel extends LabelEnds {
  /** Of the routes when `next` was chosen. */
  generation: number
  next: Next | undefined
  /** For frames that go on over `next`. */
  out: OutLabel | undefined
}

export class InLabels {
  readonly #countMax: number
  readonly #labels = new Map<number, InLabel>()
  #last = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#labels.size
  }

  /** @throws {ProtocolError} `FRAME_INVALID` for a label that does not follow the one before. */
  define(label: number, ends: LabelEnds): void {
    if (label !== this.#last + 1) {
      throw new ProtocolError('FRAME_INVALID', 'labels are counted up one by one', { label })
    }
    if (this.#labels.size >= this.#countMax) {
      throw new ProtocolError('FRAME_INVALID', 'more labels than are allowed', { label })
    }
    this.#last = label
    this.#labels.set(label, { ...ends, generation: -1, next: undefined, out: undefined })
  }

  /** @throws {ProtocolError} `FRAME_INVALID` */
  get(label: number): InLabel {
    return this.#labels.get(label) ?? failUnknown(label)
  }

  /** @throws {ProtocolError} `FRAME_INVALID` */
  retire(label: number): void {
    if (!this.#labels.delete(label)) failUnknown(label)
  }
}

function failUnknown(label: number): never {
  throw new ProtocolError('FRAME_INVALID', 'a label that stands for nothing', { label })
}
