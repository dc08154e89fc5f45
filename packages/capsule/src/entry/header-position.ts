/**
 * Where a header may stand. Its bytes alone do not say; its branch and index do.
 *
 * Rule EN10 of docs/spec/entry.md.
 *
 * @module
 */
import type { BranchId } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import type { Header } from './header-form.ts'

/**
 * Returns if `header` may be entry `index` of `branch`; throws otherwise.
 *
 * @throws {VerificationError} `HEADER_INVALID`
 */
export function checkHeaderPosition(header: Header, branch: BranchId, index: number): void {
  const { control } = header.ext
  const startsBranch = branch.length > 0 && index === 0
  if (startsBranch !== (control?.type === 'branch')) {
    fail('entry 0 of a branch, and no other, says where the branch leaves its parent', index)
  }
  if (control?.type === 'branch' && bytesEqual(control.parent.branch, branch)) {
    fail('a branch is not its own parent', index)
  }
  if (control?.type === 'merge' && !bytesEqual(control.continuing, branch)) {
    fail('a merge stands on the branch that it names as the one that goes on', index)
  }
  if (control?.type === 'erase' && control.ranges.some(({ end }) => end > index)) {
    fail('an erase entry names earlier entries only', index)
  }
}

function fail(what: string, index: number): never {
  throw new VerificationError('HEADER_INVALID', what, { index })
}
