/**
 * What a session reads: every packet, what is sealed in it, and packets given to live sessions.
 *
 * @module
 */
import { SESSION_CODECS } from '@longshore/engine/testing'
import type { FuzzTarget } from './fuzz-target.ts'

export const sessionTargets: readonly FuzzTarget[] = SESSION_CODECS
