/**
 * A mirror's statement with what shows its right to make it, as a receipt carries it.
 *
 * @module
 */
import {
  asSignature,
  type CertChain,
  decodeCertChain,
  isLongshoreError,
  type MirrorCosignature,
} from '@longshore/capsule'

/** None if the mirror's own chain cannot be taken apart; memberships that cannot are left out. */
export function mirrorCosignature(
  manifest: Uint8Array,
  statement: { readonly timeS: number; readonly signature: Uint8Array },
  chain: Uint8Array,
  memberships: readonly Uint8Array[],
): MirrorCosignature[] {
  const adChain = readChain(chain)
  if (adChain === undefined) return []
  const { timeS, signature } = statement
  const cosignature = { timeS, signature: asSignature(signature) }
  const memberChains = memberships.flatMap((membership) => readChain(membership) ?? [])
  return [{ manifest, cosignature, adChain, memberChains }]
}

function readChain(bytes: Uint8Array): CertChain | undefined {
  try {
    return decodeCertChain(bytes)
  } catch (error) {
    if (isLongshoreError(error)) return undefined
    throw error
  }
}
