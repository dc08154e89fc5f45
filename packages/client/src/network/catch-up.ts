/**
 * A writer whose home may have forgotten what it signed asks everybody who may have been given it
 * (F20): only when every mirror that the home knows has answered is it known what is missing.
 *
 * Rule NW23 of docs/spec/network.md; decision F20.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  MAIN_BRANCH,
  rootFromTiles,
  type SignedManifest,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import { committedHead, type Source, type StoreReader } from '@longshore/engine'
import { type PullContext, pullBranch } from './pull.ts'
import type { RemoteBranch } from './remote-branch.ts'

export interface CatchUpContext extends PullContext {
  readonly name: CapsuleName
  /** All that this home knows; the branch asks these and nobody else. */
  readonly mirrors: readonly CapsuleName[]
  readonly store: StoreReader
  readonly signed: SignedManifest
  readonly signal: AbortSignal | undefined
}

/**
 * Brings in the newest history among the mirrors'. Returns a sentence for the record.
 *
 * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`, naming the mirrors that did not answer
 * @throws {VerificationError} `EQUIVOCATION` if a mirror holds another history
 */
export async function catchUp(branch: RemoteBranch, context: CatchUpContext): Promise<string> {
  const { mirrors, signed, signal } = context
  try {
    await branch.until(() => mirrors.every((mirror) => hasAnswered(branch, mirror)), signal)
  } catch (error) {
    if (error instanceof VerificationError) throw error
    const silent = mirrors.filter((mirror) => !hasAnswered(branch, mirror)).map(formatName)
    if (silent.length === 0) throw error
    const count = mirrors.length - silent.length
    const message = `${count} of ${mirrors.length} known mirrors answered; without ${silent.join(', ')} it is not known what was signed last`
    const details = { doubt: 'mirrors', answered: count, mirrors: mirrors.length }
    throw new UnavailableError('WRITER_STATE_UNKNOWN', message, details, { cause: error })
  }
  for (const source of branch.sources) checkContinued(source, context)
  await pullBranch(branch, signed, context, signal === undefined ? {} : { signal })
  return `all ${mirrors.length} known mirrors have answered; the newest history among them is continued`
}

/** It holds nothing of the capsule, or its head is known to be of the one history. */
function hasAnswered(branch: RemoteBranch, mirror: CapsuleName): boolean {
  return branch.sources.some(({ peer, hasAnswered, claim, head }) => {
    if (!hasAnswered || !bytesEqual(peer.name, mirror)) return false
    // A head larger than what is here waits for its proof.
    const isProven = claim === undefined || claim.head.size <= (branch.floor?.size ?? 0)
    return isProven || head !== undefined
  })
}

/** A mirror with less than is here must hold the beginning of what is here. */
function checkContinued({ head, claim }: Source, { name, store }: CatchUpContext): void {
  const shown = head ?? claim?.head
  const own = committedHead(store, name, MAIN_BRANCH)
  if (shown === undefined || own === undefined || shown.size > own.size) return
  const tiles = {
    tile: (level: number, n: number, width: number) =>
      store.tile(name, MAIN_BRANCH, level, n, width),
  }
  if (bytesEqual(rootFromTiles(tiles, shown.size), shown.root)) return
  const message = 'a mirror holds another history than this home, signed by the same writer'
  throw new VerificationError('EQUIVOCATION', message, { size: shown.size })
}
