/**
 * What makes one node differ from another, for programs; `node-settings.ts` is the same as text.
 *
 * @module
 */
import type { CapsuleName, Ticket } from '@longshore/capsule'
import type { Runtime } from '@longshore/engine'
import type { NodeRole } from './node-settings.ts'

export interface NodeOptions {
  /** Directory with the node's keys and everything that it holds. Made if missing. */
  readonly data: string
  /** `tls://HOST:PORT`, port 0 for any free one. */
  readonly listen: readonly string[]
  /** Where others dial it, if that is not where it listens. */
  readonly announce?: readonly string[]
  /** `HOST:PORT` of the HTTP gateway. */
  readonly http?: string | undefined
  readonly join: readonly Ticket[]
  readonly roles: readonly NodeRole[]
  /** The node must be a member of this domain. */
  readonly domain?: CapsuleName | undefined
  /** Bytes that the store may take. Default: what the disk has. */
  readonly quotaBytes?: number | undefined
  /** Public, in the node's manifest when it is made. */
  readonly labels?: Readonly<Record<string, string>>
  readonly log?: Runtime['log']
}
