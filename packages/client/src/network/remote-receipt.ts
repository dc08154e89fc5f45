/**
 * A receipt for an entry that is not in this home: made from what mirrors send, and verified
 * before it goes out, like every receipt.
 *
 * The path of the entry is its path within its tile, whose leaf hashes come with the headers, and
 * then the path of the tile that came with them. Rule NW13 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  createReceipt,
  type Head,
  hashLeaf,
  type MirrorCosignature,
  manifestKey,
  packageAlignedStart,
  proveInclusion,
  RECEIPT_BODY_BYTES_MAX,
  type SignedManifest,
  TILE_WIDTH,
  UnavailableError,
} from '@longshore/capsule'
import type { StoredEntry } from '@longshore/engine'
import { mirrorCosignature } from './cosigner.ts'
import type { RemoteBranch } from './remote-branch.ts'
import type { RemoteEntries } from './remote-channel.ts'
import { storedEntries } from './remote-entry.ts'

/**
 * @throws {UnavailableError} `NO_MIRROR` if nobody sends the entry; `PAYLOAD_ABSENT` never: a
 * receipt proves an entry whose payload is not there, too.
 */
export async function createRemoteReceipt(
  branch: RemoteBranch,
  { signed, manifest }: SignedManifest,
  index: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const tile = await readTile(branch, index, signal)
  const headers = storedEntries(tile).map(({ header }) => header)
  const leafHashes = new Uint8Array(headers.length * 32)
  for (const [i, header] of headers.entries()) leafHashes.set(hashLeaf(header), i * 32)
  const at = index - tile.start
  const within = proveInclusion(
    { tile: (_level, _n, width) => leafHashes.subarray(0, width * 32) },
    at,
    headers.length,
  )
  const head = tile.tree
  const { body } = await readOne(branch, index, signal)
  const mirrors: readonly MirrorCosignature[] = cosigners(branch, head)
  return createReceipt({
    manifest: signed,
    header: headers[at] as Uint8Array,
    ...(body !== undefined && body.length <= RECEIPT_BODY_BYTES_MAX ? { body } : {}),
    index,
    head,
    path: [...within, ...tile.path],
    writerKey: manifestKey(manifest, 'writer'),
    mirrors,
  })
}

/** All headers of the tile that the entry is in, up to the end of the tree, in one message. */
async function readTile(
  branch: RemoteBranch,
  index: number,
  signal: AbortSignal | undefined,
): Promise<RemoteEntries> {
  const start = packageAlignedStart(index)
  const end = Math.min(start + TILE_WIDTH, branch.head?.size ?? 0)
  const range = { start, end, wantsBodies: false }
  for await (const tile of branch.read(range, signal, TILE_WIDTH)) {
    if (tile.entries.count === end - start) return tile
  }
  throw new UnavailableError('NO_MIRROR', 'the mirrors do not send the headers beside the entry')
}

async function readOne(
  branch: RemoteBranch,
  index: number,
  signal: AbortSignal | undefined,
): Promise<StoredEntry> {
  const range = { start: index, end: index + 1, wantsBodies: true }
  for await (const arrived of branch.read(range, signal)) {
    for (const entry of storedEntries(arrived)) if (entry.index === index) return entry
  }
  throw new UnavailableError('NO_MIRROR', 'the mirrors do not send the entry')
}

/** Mirrors whose cosignature is over this head, with everything that a receipt needs. */
function cosigners(branch: RemoteBranch, head: Head): MirrorCosignature[] {
  return branch.sources.flatMap(({ peer, cosigned, memberships }) => {
    const chain = branch.chainOf(peer.name)
    const isOver = cosigned?.head.size === head.size && bytesEqual(cosigned.head.root, head.root)
    if (chain === undefined || peer.signedManifest === undefined || !isOver) return []
    return mirrorCosignature(peer.signedManifest, cosigned.statement, chain, memberships)
  })
}
