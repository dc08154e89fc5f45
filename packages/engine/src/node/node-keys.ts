/**
 * The keys of a node and what it publishes about itself: its manifest and its head log.
 *
 * A node has one secret, a seed of 32 bytes. Each of its keys comes from it:
 *
 *     seed of a key = SHA-256("longshore-node-key/v1" 0a use 0a seed)
 *
 * The head log is a capsule whose writer key is the node's head-log key; it is made first, and is
 * the authority capsule of the node. Rules ND1 to ND3 of docs/spec/node.md; decisions F1 and F19.
 *
 * @module
 */
import {
  assert,
  concatBytes,
  createSigner,
  encodeUtf8,
  type KeyUse,
  type Manifest,
  type ManifestKey,
  type Policy,
  SEED_BYTES,
  type SignedManifest,
  type Signer,
  sha256,
  signManifest,
} from '@longshore/capsule'

/** In the order of their names, as a manifest lists them. */
const NODE_USES = ['head-log', 'identity', 'mirror', 'owner', 'tls', 'witness'] as const

type NodeUse = (typeof NODE_USES)[number]

/** Seeds of a node's keys, 32 bytes each. */
export type NodeSeeds = Readonly<Record<NodeUse, Uint8Array>>

export interface NodePrincipal {
  readonly seeds: NodeSeeds
  readonly node: SignedManifest
  readonly headLog: SignedManifest
}

export interface NodeFacts {
  /** 16 random bytes. The head log's nonce comes from it. */
  readonly nonce: Uint8Array
  readonly timeUs: number
  /** Public, for people. */
  readonly labels?: Readonly<Record<string, string>>
}

export function deriveNodeSeeds(seed: Uint8Array): NodeSeeds {
  assert(seed.byteLength === SEED_BYTES, 'a seed has 32 bytes')
  const derive = (use: NodeUse): Uint8Array =>
    sha256(concatBytes(encodeUtf8(`longshore-node-key/v1\n${use}\n`), seed))
  return {
    'head-log': derive('head-log'),
    identity: derive('identity'),
    mirror: derive('mirror'),
    owner: derive('owner'),
    tls: derive('tls'),
    witness: derive('witness'),
  }
}

/** The manifests of the node with this seed; the same facts give the same names. */
export function createNodePrincipal(seed: Uint8Array, facts: NodeFacts): NodePrincipal {
  const seeds = deriveNodeSeeds(seed)
  const owner = createSigner(seeds.owner)
  const { labels = {} } = facts
  const headLogKeys = [
    key('owner', owner),
    { ...key('writer', createSigner(seeds['head-log'])) },
  ] as const
  const headLogNonce = sha256(facts.nonce).subarray(0, facts.nonce.byteLength)
  const headLog = signManifest(
    manifest('capsule', headLogKeys, null, { ...facts, nonce: headLogNonce, labels }),
    owner,
  )
  const keys = NODE_USES.map((use) => key(use, createSigner(seeds[use])))
  const node = signManifest(manifest('node', keys, headLog, { ...facts, labels }), owner)
  return { seeds, node, headLog }
}

function key(use: KeyUse, { publicKey }: Signer): ManifestKey {
  return { alg: 'ed25519', key: publicKey, use }
}

/** Whoever judges a node must be able to read and keep what it says about itself. */
const PUBLIC: Policy = { read: 'any', hold: 'any', carry: 'any', exclude: [], copies: 1 }

function manifest(
  type: 'capsule' | 'node',
  keys: readonly ManifestKey[],
  authority: SignedManifest | null,
  { nonce, timeUs, labels }: Required<NodeFacts>,
): Manifest {
  return {
    type,
    version: 1,
    keys,
    mode: 'strict',
    nonce,
    timeUs,
    policy: PUBLIC,
    blind: false,
    authority: authority?.name ?? null,
    labels,
    crit: [],
    ext: new Map(),
  }
}
