/**
 * Where a frame goes from here.
 *
 * @module
 */
import type { UnreachableCode } from './frame.ts'
import type { Link } from './link.ts'

export type Next =
  /** To this node itself. */
  | { readonly type: 'local' }
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'refuse'; readonly code: UnreachableCode; readonly message: string }
  /** Not known yet; it has to be asked for. */
  | { readonly type: 'ask' }

export const LOCAL: Next = Object.freeze({ type: 'local' })
export const ASK: Next = Object.freeze({ type: 'ask' })
