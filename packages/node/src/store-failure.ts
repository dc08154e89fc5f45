/**
 * Whether the store of a home still lives.
 *
 * @module
 */
import { isLongshoreError, UnavailableError } from '@longshore/capsule'
import type { HeldHome } from '@longshore/client/node'

/** What ended the store; undefined while it lives. */
export function storeFailure({ driver }: HeldHome): UnavailableError | undefined {
  try {
    driver.checkAlive()
    return undefined
  } catch (cause) {
    if (isLongshoreError(cause) && cause instanceof UnavailableError) return cause
    const message = (cause as Error).message
    return new UnavailableError('STORE_FAILED', message, undefined, { cause })
  }
}
