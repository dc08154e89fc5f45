/**
 * An export comes into a home in which a part of the same capsule has rotted.
 *
 * What is damaged is replaced first, at the size that is in force here, so that what only this home
 * has stays; then the import goes on as ever. Of a capsule that is too large for that, everything
 * must be in the export: then the copy here is given up for it. Rule HM64 of docs/spec/home.md.
 *
 * @module
 */
import { MAIN_BRANCH } from '@longshore/capsule'
import {
  clearingOps,
  committedHead,
  createGiveUpNote,
  type OtherCopy,
  pendingImportOp,
} from '@longshore/engine'
import { tooLarge } from '../../network/mend.ts'
import { checkConsistent } from './import-fit.ts'
import type { ImportContext } from './import-tiles.ts'
import { mendCapsule } from './mend-capsule.ts'
import type { VerifiedDirectory } from './verify-directory.ts'

/** Returns how many entries of the export were needed. */
export async function mendFromExport(
  verified: VerifiedDirectory,
  other: OtherCopy,
  context: ImportContext,
): Promise<number> {
  const { directory } = verified
  const { signed } = directory
  const { store, driver, isOwn } = context
  const head = committedHead(store, signed.name, MAIN_BRANCH)
  const size = head?.size ?? 0
  if (head !== undefined && size <= directory.size) checkConsistent(verified, head, directory)
  const count = await mendCapsule(signed, other, context)
  if (count !== undefined) return count
  if (directory.size < Math.max(size, context.signedSize())) throw tooLarge()
  const ops = clearingOps(store, signed)
  ops.push(pendingImportOp(signed.name, MAIN_BRANCH, undefined))
  if (isOwn) ops.push(createGiveUpNote(signed.name, MAIN_BRANCH))
  await driver.submit(ops)
  return size
}
