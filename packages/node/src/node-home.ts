/**
 * The data directory of a node: a home with the node's keys, manifests and head log in it.
 *
 * The first start makes the node. If its head log has lost part of its history (the directory was
 * put back from an old copy), the node that it was may have stated more than it remembers: a new
 * one is made, with new keys, in the same directory, and the old one never speaks again (F20).
 * Rules ND9 and ND17 of docs/spec/node.md.
 *
 * @module
 */
import {
  asCapsuleName,
  bytesEqual,
  type CapsuleName,
  createSigner,
  formatName,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openManifest,
  SEED_BYTES,
  UnavailableError,
} from '@longshore/capsule'
import { type HeldHome, type HeldHomeOptions, holdHome } from '@longshore/client/node'
import {
  type BranchWriter,
  createFirstInstance,
  createNodePrincipal,
  deriveNodeSeeds,
  type NodeIdentity,
  type NodePrincipal,
  type StoreOp,
} from '@longshore/engine'

const NONCE_BYTES = 16
/** The note that says which node lives here. */
const NODE_NOTE = 'net/node'

export interface NodeHome {
  readonly held: HeldHome
  readonly identity: NodeIdentity
  /** Of the head log, at its committed size. */
  openHeadLog(): BranchWriter
  readonly headLog: CapsuleName
  /** Of the tls key. */
  readonly tlsSeed: Uint8Array
}

/** Opens the data directory, and makes the node in it where there is none. */
export async function openNodeHome(
  options: HeldHomeOptions,
  labels: Readonly<Record<string, string>>,
): Promise<NodeHome> {
  const held = await holdHome(options)
  try {
    const known = held.store.note(NODE_NOTE)
    if (known !== undefined && known.byteLength > 0) {
      const home = openNode(held, asCapsuleName(known))
      if (isHeadLogSound(home)) return home
      options.runtime.log('warn', 'node.new-incarnation', { node: formatName(home.identity.name) })
    }
    return openNode(held, await createNode(held, options, labels))
  } catch (error) {
    await held.close()
    throw error
  }
}

/** How many capsules this home writes beside what its node states. */
export function countWritten({ held, headLog }: NodeHome): number {
  const isWritten = (name: CapsuleName): boolean => {
    const signed = held.store.manifest(name)
    if (signed === undefined || bytesEqual(name, headLog)) return false
    const { type, authority } = openManifest(signed, name).manifest
    return type === 'capsule' && authority !== null
  }
  return held.keys.names().filter(isWritten).length
}

/** False if it is not known what the node has stated last. */
function isHeadLogSound(home: NodeHome): boolean {
  try {
    return home.openHeadLog().doubt === undefined
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'WRITER_STATE_UNKNOWN') return false
    throw error
  }
}

/** Keys first, then the anchor, then the manifests with the note that names the node. */
async function createNode(
  held: HeldHome,
  { runtime }: HeldHomeOptions,
  labels: Readonly<Record<string, string>>,
): Promise<CapsuleName> {
  const seed = runtime.randomBytes(SEED_BYTES)
  const nonce = runtime.randomBytes(NONCE_BYTES)
  const principal = createNodePrincipal(seed, { nonce, timeUs: runtime.nowUs(), labels })
  const { node, headLog, seeds } = principal
  held.keys.add(node.name, { seed })
  held.keys.add(headLog.name, { seed: seeds['head-log'] })
  const first = createFirstInstance(headLog.name, MAIN_BRANCH, runtime)
  held.plantAnchor({ name: headLog.name, branch: MAIN_BRANCH }, first.anchor)
  const manifests: StoreOp[] = [headLog, node].map(({ name, signed }) => ({
    type: 'manifest',
    name,
    signed,
  }))
  const note: StoreOp = { type: 'note', key: NODE_NOTE, value: node.name }
  await held.driver.submit([...manifests, first.note, note])
  return node.name
}

function openNode(held: HeldHome, name: CapsuleName): NodeHome {
  const signed = held.store.manifest(name)
  if (signed === undefined) {
    const details = { node: formatName(name) }
    throw new UnavailableError('STORE_CORRUPT', 'the manifest of this node is gone', details)
  }
  const { manifest } = openManifest(signed, name)
  const seeds: NodePrincipal['seeds'] = deriveNodeSeeds(held.keys.seeds(name).seed)
  const headLog = manifest.authority
  if (manifest.type !== 'node' || headLog === null) {
    throw new UnavailableError('NODE_MISMATCH', 'no node lives here', { node: formatName(name) })
  }
  const identity = createSigner(seeds.identity)
  if (!bytesEqual(identity.publicKey, manifestKey(manifest, 'identity').ed25519)) {
    const details = { node: formatName(name) }
    throw new UnavailableError('KEY_UNREADABLE', 'the key file holds another key', details)
  }
  return {
    held,
    identity: {
      name,
      signedManifest: signed,
      manifest,
      identity,
      mirror: createSigner(seeds.mirror),
    },
    openHeadLog: () => held.openOwnWriter({ name: headLog, branch: MAIN_BRANCH }),
    headLog,
    tlsSeed: seeds.tls,
  }
}
