/**
 * Opening for who is to follow: mirrors that are merely behind what was read before are waited for.
 *
 * Rule NW27 of docs/spec/network.md.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import type { Behind } from './home-network.ts'
import type { Network } from './network.ts'
import type { RemoteBranch } from './remote-branch.ts'
import { howFarBehind } from './why-unread.ts'

/** How often mirrors that are behind are asked again. */
const ASK_MS = 1000

/**
 * Resolves like `ready` of the branch. `onBehind` is called once if all mirrors are behind.
 *
 * @throws what `ready` throws, but for mirrors that are behind, and for none at all after that
 */
export async function waitForMirrors(
  branch: RemoteBranch,
  network: Network,
  onBehind: (behind: Behind) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let isTold = false
  const tell = (): void => {
    const behind = isTold ? undefined : howFarBehind(branch.floor, branch.sources)
    if (behind === undefined) return
    isTold = true
    onBehind(behind)
  }
  let cancel = (): void => {}
  const askLater = (): void => {
    cancel = network.after(ASK_MS, () => {
      tell()
      branch.refresh()
      askLater()
    })
  }
  askLater()
  try {
    for (;;) {
      try {
        return await branch.ready(signal)
      } catch (error) {
        tell()
        if (!isTold || !isWaitedFor(error)) throw error
      }
    }
  } finally {
    cancel()
  }
}

/** Nothing speaks against the capsule: mirrors are behind, or have gone away. */
function isWaitedFor(error: unknown): boolean {
  return isLongshoreError(error) && (error.code === 'ROLLBACK' || error.code === 'NO_MIRROR')
}
