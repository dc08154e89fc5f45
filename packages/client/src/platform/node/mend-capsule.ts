/**
 * A capsule of this home of which a part has rotted is written anew, with what mirrors or an export
 * hold in place of what is damaged.
 *
 * Rules HM62 to HM64 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import {
  type CapsuleName,
  MAIN_BRANCH,
  type SignedManifest,
  UnavailableError,
} from '@longshore/capsule'
import {
  committedHead,
  type DiskStore,
  isKnownDamaged,
  type OtherCopy,
  planMending,
  ShownEntries,
  type Slices,
  storedManifest,
} from '@longshore/engine'
import { MEND_BYTES_MAX, tooLarge } from '../../network/mend.ts'
import { decodeTaken } from '../../network/taken-entries.ts'
import type { ImportContext } from './import-tiles.ts'

/** Heads, proofs and lengths lie beside the entries. */
const FILE_BYTES_MAX: number = 2 * MEND_BYTES_MAX

/** Something of the capsule has rotted. Reads what lies beside it on the disk, in turns. */
export async function isDamaged(store: DiskStore, name: CapsuleName): Promise<boolean> {
  if (isKnownDamaged(store, name)) return true
  if (store.state(name, MAIN_BRANCH) === undefined) return false
  const { capsules } = await inTurns(store.scrubInSlices(name))
  return capsules.length > 0
}

/** With the entries in a file, whoever made it. */
export async function mendFromFile(
  file: string,
  capsule: SignedManifest,
  context: ImportContext,
): Promise<void> {
  const { size } = fs.statSync(file)
  if (size > FILE_BYTES_MAX) throw tooLarge()
  const shown = new ShownEntries(capsule, MAIN_BRANCH)
  for (const { tree, message } of decodeTaken(new Uint8Array(fs.readFileSync(file)))) {
    shown.add(tree, message)
  }
  if ((await mendCapsule(capsule, shown, context)) === undefined) throw tooLarge()
}

/**
 * Returns how many entries came from elsewhere; undefined if the capsule is too large.
 *
 * @throws {UnavailableError} `STORE_CORRUPT` if something is damaged here and not shown, or if this
 * machine has signed what is neither here nor elsewhere
 */
export async function mendCapsule(
  capsule: SignedManifest,
  other: OtherCopy,
  { store, driver, signedSize, isDamaged: isDamagedStill }: ImportContext,
): Promise<number | undefined> {
  const { name, signed } = capsule
  if (storedManifest(store, name) === undefined) {
    await driver.submit([{ type: 'manifest', name, signed }])
    if (!(await isDamagedStill())) return 0
  }
  checkNothingSignedIsLost(store, name, other.size, signedSize())
  const mending = await inTurns(planMending(store, capsule, other, MEND_BYTES_MAX))
  if (mending !== undefined) await driver.submit(mending.ops)
  return mending?.count
}

/** The last head of this home's writer may lie in damage, and with it the entries below it. */
function checkNothingSignedIsLost(
  store: ImportContext['store'],
  name: CapsuleName,
  sizeElsewhere: number,
  signedSize: number,
): void {
  const sizeHere = committedHead(store, name, MAIN_BRANCH)?.size ?? 0
  const size = Math.max(sizeHere, sizeElsewhere)
  if (size >= signedSize) return
  const message = `this machine has signed ${signedSize} entries, and others hold ${sizeElsewhere}: what is here is left as it is`
  throw new UnavailableError('STORE_CORRUPT', message, { size, signedSize })
}

/** Slice by slice; whoever else wants to has a turn between two of them. */
export async function inTurns<TResult>(work: Slices<TResult>): Promise<TResult> {
  for (;;) {
    const slice = work.next()
    if (slice.done === true) return slice.value
    await setImmediate()
  }
}
