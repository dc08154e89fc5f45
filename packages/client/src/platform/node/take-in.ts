/**
 * Entries from mirrors come into the store of this home.
 *
 * They lie in a file, so that a guest can hand over as much as the holder. Whoever made it is not
 * believed: every message is verified under a head that the writer signed, and that must continue
 * what is here; a payload that is missing here must be that of the header that is here. Rule NW22
 * of docs/spec/network.md.
 *
 * @module
 */
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import {
  type BranchId,
  MAIN_BRANCH,
  type SignedManifest,
  UnavailableError,
} from '@longshore/capsule'
import {
  BranchIntake,
  createGiveUpNote,
  type EntriesFrame,
  EntriesVerifier,
  REPLICA_LIMITS,
  type StoreOp,
  type StoreReader,
  storedManifest,
} from '@longshore/engine'
import { decodeTaken, encodeTaken, type TakenEntries } from '../../network/taken-entries.ts'
import type { WriteDriver } from '../../write-driver.ts'

/** A few steps of a pull; nobody makes a larger one. */
const FILE_BYTES_MAX = 67_108_864

export interface TakeInContext {
  readonly store: StoreReader
  readonly driver: WriteDriver
  /** The capsule's writer is this home's own: its state changes under it. */
  readonly isOwn: boolean
}

/** Writes a file for whoever holds the home, has something done with it, and removes it. */
export async function handOver(
  entries: readonly TakenEntries[],
  action: (file: string) => Promise<void>,
): Promise<void> {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'longshore-'))
  try {
    const file = join(directory, 'entries')
    fs.writeFileSync(file, Buffer.concat(entries.map(encodeTaken)), { mode: 0o600 })
    await action(file)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** What a file holds, as one transaction. No writer of the capsule is at work. */
export async function takeInFile(
  file: string,
  capsule: SignedManifest,
  { store, driver, isOwn }: TakeInContext,
): Promise<void> {
  const { size } = fs.statSync(file)
  if (size > FILE_BYTES_MAX) {
    throw new UnavailableError('OVERLOADED', 'too many entries at once', { bytes: size })
  }
  const ops: StoreOp[] = []
  if (storedManifest(store, capsule.name) === undefined) {
    ops.push({ type: 'manifest', name: capsule.name, signed: capsule.signed })
  }
  const branch: BranchId = MAIN_BRANCH
  const intake = new BranchIntake(store, capsule, branch, REPLICA_LIMITS)
  const verifier = new EntriesVerifier()
  for (const { tree, message } of decodeTaken(new Uint8Array(fs.readFileSync(file)))) {
    verifier.frame.read(message)
    intake.heads.check(tree)
    if (verifier.frame.end > intake.size) intake.accept(verifier, tree)
    else fillFrom(verifier.frame, intake)
  }
  const cut = intake.cut(undefined)
  if (cut !== undefined) {
    ops.push(...cut.ops)
    const isGrowing = cut.ops.some(({ type }) => type === 'append')
    if (isOwn && isGrowing) ops.push(createGiveUpNote(capsule.name, branch))
  }
  if (ops.length > 0) await driver.submit(ops)
}

/** Entries that are here already: their payloads may be missing. */
function fillFrom(
  { bytes, start, count, bodyStart, bodyEnd }: EntriesFrame,
  intake: BranchIntake,
): void {
  for (let i = 0; i < count; i++) {
    const from = bodyStart[i] as number
    if (from !== -1) intake.fill(start + i, bytes.subarray(from, bodyEnd[i]))
  }
}
