/**
 * What commands that list say about manifests that cannot be read. Rule CL18 of docs/spec/cli.md.
 *
 * @module
 */
import type { CapsuleInfo } from '@longshore/client/node'
import type { Output } from './output.ts'
import { EXIT, exitCodeOf, printReport } from './report-error.ts'
import { formatCount } from './text/count.ts'

const NEXT =
  'Pull it from its mirrors or import an export of it; `longshore fsck` says where the damage is.'

/** On stderr, after what can be listed. Returns the exit code. */
export function reportDamaged(out: Output, infos: readonly CapsuleInfo[]): number {
  const damaged = infos.filter(({ problem }) => problem !== undefined)
  const [first] = damaged
  if (first?.problem === undefined) return EXIT.ok
  const { code, message } = first.problem
  const more = damaged.length === 1 ? '' : `; ${formatCount(damaged.length - 1, 'more manifest')}`
  const details = { name: first.text, damaged: damaged.length }
  printReport(out, { code, message: `${first.text}: ${message}${more}`, next: NEXT, details })
  return exitCodeOf(code)
}
