/**
 * Signed messages that were found good: manifests and certificates travel with every hello,
 * advertisement and answer, and a router sees the same ones again and again.
 *
 * What is remembered is a hash over the keys, the signatures and all that they cover. A verdict
 * depends on nothing else, so it never changes. Bad ones are not remembered: they cost whoever
 * sends them, not the memory of the others. Rule SG20 of docs/spec/signing.md.
 *
 * @module
 */
import { concatBytes } from '../bytes/bytes.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { sha256 } from '../crypto/sha256.ts'

/** What a verdict depends on. */
export interface VerdictInput {
  readonly key: RoleKey
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly countersignature: Uint8Array | undefined
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
const HAS_KEY = 1
const HAS_COUNTERSIGNATURE = 2

export class VerifiedMessages {
  readonly #countMax: number
  /** The oldest first. */
  readonly #digests = new Set<string>()

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#digests.size
  }

  has(digest: string): boolean {
    return this.#digests.has(digest)
  }

  add(digest: string): void {
    this.#digests.add(digest)
    if (this.#digests.size <= this.#countMax) return
    this.#digests.delete(this.#digests.values().next().value as string)
  }
}

/** The parts before the message have fixed lengths, which the first byte tells. */
export function verdictDigest(input: VerdictInput): string {
  const { key, message, signature, countersignature } = input
  const flags =
    (key.mlDsa44 === undefined ? 0 : HAS_KEY) |
    (countersignature === undefined ? 0 : HAS_COUNTERSIGNATURE)
  const digest = sha256(
    concatBytes(
      ...[Uint8Array.of(flags), key.ed25519, signature],
      ...[key.mlDsa44 ?? NO_BYTES, countersignature ?? NO_BYTES, message],
    ),
  )
  return String.fromCharCode(...digest)
}
