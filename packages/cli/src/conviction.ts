/**
 * What commands say about a capsule whose writer has signed two histories. Rule CL59 of
 * docs/spec/cli.md.
 *
 * @module
 */
import type { VerificationError } from '@longshore/capsule'
import type { Output } from './output.ts'
import { EXIT, reportError } from './report-error.ts'

/** Says it on stderr, after everything else. Returns the exit code. */
export function reportConviction(out: Output, conviction: VerificationError | undefined): number {
  return conviction === undefined ? EXIT.ok : reportError(out, conviction)
}

/** Of docs/spec/cli/status.schema.json: null if nothing was found. */
export function convictionObject(conviction: VerificationError | undefined): object | null {
  if (conviction === undefined) return null
  const { size, sizeOther, path = null } = conviction.details
  return { sizes: [size, sizeOther], evidence: path }
}
