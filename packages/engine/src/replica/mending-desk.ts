/**
 * What a mirror does about damage on its disk: says what is hit, gives a copy up once somebody else
 * holds it, and says when it is whole again.
 *
 * What was stated and what may be given up is the mender's to know (mender.ts). Rules MI28 to MI32
 * of docs/spec/mirror.md.
 *
 * @module
 */
import {
  type CapsuleName,
  isLongshoreError,
  type SignedManifest,
  UnavailableError,
} from '@longshore/capsule'
import type { StoreOp, StoreReader } from '../store/store.ts'
import type { BranchIntake } from './branch-intake.ts'
import { readChain } from './chain-notes.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Intakes } from './intakes.ts'
import type { Mender } from './mender.ts'
import type { MirrorEffect, SessionId } from './mirror-contract.ts'
import type { MirrorCounters } from './mirror-counters.ts'
import type { MirrorSessions } from './mirror-sessions.ts'
import type { MirrorSync } from './mirror-sync.ts'
import type { ReadQueue } from './read-queue.ts'

export interface MendingParts {
  readonly store: StoreReader
  readonly mender: Mender
  readonly intakes: Intakes
  readonly sessions: MirrorSessions
  readonly reads: ReadQueue
  readonly group: GroupCommit
  readonly sync: MirrorSync
  readonly counters: MirrorCounters
  refuse(session: SessionId, id: number, error: unknown): MirrorEffect
}

export class MendingDesk {
  readonly #parts: MendingParts

  constructor(parts: MendingParts) {
    this.#parts = parts
  }

  /** A part of the capsule cannot be read here: somebody else has it, perhaps. */
  suspect(name: CapsuleName): MirrorEffect[] {
    const { mender, intakes, sync } = this.#parts
    if (intakes.isNameless(name)) {
      if (!mender.addNameless(name)) return []
      return [{ type: 'damaged', name }, { type: 'seek', name }, ...sync.compare(name)]
    }
    if (!mender.add(name, (held) => intakes.manifest(held) !== undefined)) return []
    const message = 'a part of the capsule was lost on the disk of this mirror'
    return [
      { type: 'damaged', name },
      ...this.#endPushes(name, new UnavailableError('OVERLOADED', message)),
      ...sync.compare(name),
    ]
  }

  /** Reading the capsule has failed. */
  suspectAfter(error: unknown, name: CapsuleName): MirrorEffect[] {
    const isCorrupt = isLongshoreError(error) && error.code === 'STORE_CORRUPT'
    return isCorrupt ? this.suspect(name) : []
  }

  /** The damaged copy can be given up: nothing of it is opened until an empty one is there. */
  replace(name: CapsuleName, ops: readonly StoreOp[]): MirrorEffect[] {
    const { reads, group, refuse } = this.#parts
    const message = 'this mirror replaces its copy of the capsule'
    const error = new UnavailableError('OVERLOADED', message)
    const refusals = this.#endPushes(name, error)
    const dropped = reads.drop(name)
    group.replace(name, ops)
    return [
      { type: 'request-cut' },
      ...refusals,
      ...dropped.map(({ session, id }) => refuse(session, id, error)),
    ]
  }

  replaced(name: CapsuleName): MirrorEffect[] {
    this.#parts.mender.replaced(name)
    return [{ type: 'mending', name }, ...this.#parts.sync.compare(name)]
  }

  /** All that was stated is there again: that is stated with the next commit. */
  whole({ name, isStatementDue }: BranchIntake): MirrorEffect[] {
    const due: MirrorEffect[] = isStatementDue ? [{ type: 'request-cut' }] : []
    return this.#parts.mender.becameWhole(name) ? [...due, this.#mended(name)] : due
  }

  /** Another mirror has shown the manifest that was lost here. */
  restore(signed: SignedManifest): MirrorEffect[] {
    this.#parts.group.restore(signed)
    return [{ type: 'request-cut' }]
  }

  /** The manifest is in the store again, if it was lost: whoever brought it. */
  restored({ name, signed }: SignedManifest): MirrorEffect[] {
    const { mender, store } = this.#parts
    if (!mender.foundManifest(name)) return []
    const chain = readChain(store, name)
    if (chain === undefined) return []
    return [{ type: 'advertise', name, manifest: signed, chain }, this.#mended(name)]
  }

  #mended(name: CapsuleName): MirrorEffect {
    this.#parts.counters.mended++
    return { type: 'mended', name }
  }

  #endPushes(name: CapsuleName, error: UnavailableError): MirrorEffect[] {
    const { sessions, refuse } = this.#parts
    return sessions.endPushesInto(name).map(({ session, id }) => refuse(session, id, error))
  }
}
