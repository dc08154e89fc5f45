/**
 * Decoders of what lies on the disk.
 *
 * @module
 */
import type { FuzzTarget } from './fuzz-target.ts'

export const engineTargets: readonly FuzzTarget[] = []
