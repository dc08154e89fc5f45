/**
 * The fuzz targets: one for each decoder of bytes or text from outside.
 *
 * @module
 */
import { capsuleTargets } from './capsule-targets.ts'
import { certTargets } from './cert-targets.ts'
import { clientTargets } from './client-targets.ts'
import { engineTargets } from './engine-targets.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { overlayTargets } from './overlay-targets.ts'
import { sessionTargets } from './session-targets.ts'
import { textTargets } from './text-targets.ts'

export const targets: readonly FuzzTarget[] = [
  ...textTargets,
  ...capsuleTargets,
  ...certTargets,
  ...engineTargets,
  ...overlayTargets,
  ...clientTargets,
  ...sessionTargets,
]
