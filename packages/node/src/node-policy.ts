/**
 * Which capsules the mirror of a node takes on: none that is being imported into its directory at
 * the same time, else what the engine's policy says. Rule ND21 of docs/spec/node.md.
 *
 * @module
 */
import { type CapsuleName, UnavailableError } from '@longshore/capsule'
import { createMirrorPolicy, type MirrorPolicy, type MirrorPolicyOptions } from '@longshore/engine'

export interface NodePolicyOptions extends MirrorPolicyOptions {
  readonly isImporting: (name: CapsuleName) => boolean
}

export function createNodePolicy(options: NodePolicyOptions): MirrorPolicy {
  const policy = createMirrorPolicy(options)
  return {
    ...policy,
    checkOffer: (capsule, chain, peer) => {
      if (options.isImporting(capsule.name)) {
        throw new UnavailableError('OVERLOADED', 'the capsule is being imported here')
      }
      policy.checkOffer(capsule, chain, peer)
    },
  }
}
