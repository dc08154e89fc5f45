/**
 * Opens the writer of a branch from what its home holds, and asks the anchor whether it may sign.
 *
 * Rules WR1, WR2, WR6 and WR9 of docs/spec/writer.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  EMPTY_ROOT,
  type Head,
  manifestKey,
  openManifest,
  RightEdge,
  type RoleKey,
  roleKeysEqual,
  rootFromTiles,
  type Signer,
  type TileSource,
  UnavailableError,
  UsageError,
  VerificationError,
  verifyHead,
} from '@longshore/capsule'
import type { AnchorSlot } from '../runtime/anchor-slot.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StoreReader } from '../store/store.ts'
import {
  type Anchor,
  type AnchorHome,
  checkAnchor,
  decodeAnchor,
  encodeAnchor,
  isCaughtUp,
  isCovered,
  isOfBranch,
} from './anchor.ts'
import { BranchWriter } from './branch-writer.ts'
import type { Standing } from './standing.ts'
import { readInstance } from './writer-notes.ts'

export interface WriterOptions {
  /** Kept, and read for heartbeats; the writer never submits anything by itself. */
  readonly store: StoreReader
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Of the writer key in the manifest. */
  readonly signer: Signer
  readonly runtime: Runtime
  readonly anchor: AnchorSlot
}

/**
 * The writer at the committed size of its branch. There must be no other one for this branch, and
 * nothing of it on its way to the store.
 *
 * Where the anchor does not vouch for the home the writer opens all the same, with its `doubt`:
 * it can then `recover` or `catchUp` and nothing else.
 *
 * @throws {UnavailableError} `NOT_FOUND` without manifest or branch; `STORE_CORRUPT` if tiles,
 * head and key do not belong together, since a head signed on top of that would contradict the
 * last one; `ANCHOR_UNWRITABLE`
 * @throws {UsageError} `NOT_A_WRITER` if the signer's key is not the writer key.
 */
export function openBranchWriter(options: WriterOptions): BranchWriter {
  const { store, name, branch, signer } = options
  checkWriterKey(store, name, signer.key)
  const state = store.state(name, branch)
  if (state === undefined) throw new UnavailableError('NOT_FOUND', 'this branch has no entry')
  const { size, head } = state
  const tiles: TileSource = {
    tile: (level, n, width) => store.tile(name, branch, level, n, width),
  }
  const edge = RightEdge.open(tiles, size)
  checkHead(name, head, edge, signer.key)
  const home: AnchorHome = {
    name,
    branch,
    instance: readInstance(store, name, branch),
    epoch: head?.epoch ?? 0,
    size,
    rootAt: (at) => (at === 0 ? EMPTY_ROOT : rootFromTiles(tiles, at)),
  }
  const standing = openStanding(options.anchor, home)
  return new BranchWriter({ ...options, edge, head, standing })
}

/**
 * True if the anchor says exactly what is committed: then opening the writer would change nothing.
 * Costs one read of the anchor and no signature, for homes with very many capsules.
 *
 * @throws {UnavailableError} `ANCHOR_UNWRITABLE`
 */
export function isAnchorUpToDate(
  options: Pick<WriterOptions, 'store' | 'name' | 'branch' | 'anchor'>,
): boolean {
  const { store, name, branch } = options
  const head = store.state(name, branch)?.head
  const instance = readInstance(store, name, branch)
  const anchor = readAnchor(options.anchor, { name, branch })
  if (head === undefined || instance === undefined || anchor === undefined) return false
  const isSameTree = anchor.size === head.size && bytesEqual(anchor.root, head.root)
  return isSameTree && anchor.epoch === head.epoch && bytesEqual(anchor.instance, instance)
}

function checkWriterKey(store: StoreReader, name: CapsuleName, key: RoleKey): void {
  const signed = store.manifest(name)
  if (signed === undefined) {
    throw new UnavailableError('NOT_FOUND', 'the manifest of this capsule is not in the store')
  }
  const { manifest } = openManifest(signed, name)
  const isWriter =
    manifest.type === 'capsule' && roleKeysEqual(manifestKey(manifest, 'writer'), key)
  if (!isWriter) throw new UsageError('NOT_A_WRITER', 'this is not the writer key of the capsule')
}

function checkHead(name: CapsuleName, head: Head | undefined, edge: RightEdge, key: RoleKey): void {
  if (head === undefined && edge.size === 0) return
  const root = edge.root()
  if (head?.size !== edge.size || !bytesEqual(head.root, root)) {
    const details = { size: edge.size }
    throw new UnavailableError('STORE_CORRUPT', 'the tree is not what its head says', details)
  }
  try {
    verifyHead(name, head, key)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    const message = 'the last head in the store is not signed by this writer'
    throw new UnavailableError('STORE_CORRUPT', message, { size: edge.size }, { cause })
  }
}

function readAnchor(
  slot: AnchorSlot,
  home: Pick<AnchorHome, 'name' | 'branch'>,
): Anchor | undefined {
  const bytes = slot.read()
  const anchor = bytes === undefined ? undefined : decodeAnchor(bytes)
  return anchor !== undefined && isOfBranch(anchor, home) ? anchor : undefined
}

/**
 * If the home is the one that its writer left, the anchor is brought up to it and synced: after a
 * power loss it may be behind, and from here on a copy of the home must not pass for it.
 */
function openStanding(slot: AnchorSlot, home: AnchorHome): Standing {
  const anchor = readAnchor(slot, home)
  const verdict = checkAnchor(anchor, home)
  if (verdict !== 'clean') {
    return {
      state: 'unknown',
      doubt: verdict.unknown,
      anchor,
      isCaughtUp: isCaughtUp(anchor, home),
      isCovered: isCovered(anchor, home),
    }
  }
  const { name, branch, epoch, size } = home
  const instance = home.instance as Uint8Array
  if (anchor?.size !== size || anchor.epoch !== epoch) {
    slot.write(encodeAnchor({ instance, name, branch, epoch, size, root: home.rootAt(size) }))
  }
  slot.sync()
  return { state: 'ready', instance }
}
