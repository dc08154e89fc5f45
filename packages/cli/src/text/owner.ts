/**
 * How the keys of an owner are printed: the Ed25519 key as it is, the ML-DSA-44 key, which has
 * 1312 bytes, by its SHA-256.
 *
 * @module
 */
import { formatHex, type RoleKey, sha256 } from '@longshore/capsule'

/** `owner`, and `ownerMlDsa44` if there are two keys, of the JSON output. */
export function ownerFields({ ed25519, mlDsa44 }: RoleKey): object {
  const owner = formatHex(ed25519)
  return mlDsa44 === undefined ? { owner } : { owner, ownerMlDsa44: formatHex(sha256(mlDsa44)) }
}

export function ownerRows({ ed25519, mlDsa44 }: RoleKey): (readonly [string, string])[] {
  const first = ['owner', formatHex(ed25519)] as const
  if (mlDsa44 === undefined) return [first]
  return [first, ['', `and ML-DSA-44, SHA-256 ${formatHex(sha256(mlDsa44))}`]]
}
