/**
 * A node for tests: its keys and manifest come from the seed.
 *
 * @module
 */
import { createSigner, NONCE_BYTES, SEED_BYTES } from '@longshore/capsule'
import { createNodePrincipal } from '../node/node-keys.ts'
import type { NodeIdentity } from '../node/principal.ts'
import type { Prng } from './prng.ts'

export function createNodeIdentity(prng: Prng): NodeIdentity {
  const facts = { nonce: prng.bytes(NONCE_BYTES), timeUs: 0 }
  const { node, seeds } = createNodePrincipal(prng.bytes(SEED_BYTES), facts)
  return {
    ...{ name: node.name, signedManifest: node.signed, manifest: node.manifest },
    ...{ identity: createSigner(seeds.identity), mirror: createSigner(seeds.mirror) },
  }
}
