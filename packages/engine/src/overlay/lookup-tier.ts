/**
 * Where a lookup goes that the own table cannot answer.
 *
 * Whoever is asked answers with `found` frames that are verified like advertisements, so a tier
 * decides only whom to ask. The one here asks the routers that this node has joined.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import { encodeControl, lookupValue } from './control-frame.ts'
import { LOOKUP } from './frame.ts'
import type { Link } from './link.ts'

export interface TierQuestion {
  readonly name: CapsuleName
  /** Tiers that the question may climb yet. */
  readonly hopsLeft: number
  /** Not to be asked. */
  readonly except: Link | undefined
}

export interface LookupTier {
  /** Asks. `register` gives the request number for a question over a link. */
  ask(question: TierQuestion, register: (link: Link) => number): void
}

/** All routers that this node has joined, at the same time. */
export class ParentTier implements LookupTier {
  readonly #parents: () => Iterable<Link>

  constructor(parents: () => Iterable<Link>) {
    this.#parents = parents
  }

  ask({ name, hopsLeft, except }: TierQuestion, register: (link: Link) => number): void {
    for (const link of [...this.#parents()]) {
      if (link === except) continue
      link.send(encodeControl(LOOKUP, lookupValue({ request: register(link), name, hopsLeft })))
    }
  }
}
