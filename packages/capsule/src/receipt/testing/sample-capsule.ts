/**
 * A small capsule with known keys, for the tests of receipts and evidence.
 *
 * @module
 */
import { asBranchId, type BranchId, type Hash, MAIN_BRANCH } from '../../bytes/brands.ts'
import { encodeUtf8 } from '../../bytes/utf8.ts'
import { type Head, signHead } from '../../checkpoint/head.ts'
import { sha256 } from '../../crypto/sha256.ts'
import { createSigner, type Signer } from '../../crypto/signer.ts'
import { createBody } from '../../entry/body.ts'
import { encodeHeader } from '../../entry/header.ts'
import {
  createControlHeader,
  KIND_BLINDED,
  KIND_PLAIN,
  NO_EXTENSION,
  NO_POINTERS,
} from '../../entry/header-form.ts'
import { type Manifest, type SignedManifest, signManifest } from '../../manifest/manifest.ts'
import { KEY_USES, type KeyUse, type PrincipalType } from '../../manifest/manifest-keys.ts'
import type { Policy } from '../../manifest/policy.ts'
import { type ProofSource, proveInclusion } from '../../proof/prove.ts'
import { hashLeaf } from '../../tree/hash.ts'
import { merkleRoot, ReferenceTiles } from '../../tree/testing/reference-tree.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_US = 1_767_225_600_000_000

export const OTHER_BRANCH: BranchId = asBranchId(new Uint8Array(16).fill(0xb7))

export function signerOf(seed: number): Signer {
  return createSigner(new Uint8Array(32).fill(seed))
}

export interface SamplePrincipal {
  readonly signed: SignedManifest
  /** By use. */
  readonly signers: ReadonlyMap<string, Signer>
}

/**
 * A manifest of any type. Its keys are those of the signers `seed`, `seed + 1`, … in order of use,
 * but for the uses in `chosen`.
 */
export function principalOf(
  type: PrincipalType,
  seed: number,
  chosen: Readonly<Partial<Record<KeyUse, Signer>>> = {},
  policy: Partial<Policy> = {},
): SamplePrincipal {
  const uses = KEY_USES[type]
  const signers = new Map<string, Signer>()
  for (const [i, use] of uses.entries()) signers.set(use, chosen[use] ?? signerOf(seed + i))
  const manifest: Manifest = {
    type,
    version: 1,
    keys: uses.map((use) => ({
      alg: 'ed25519',
      key: (signers.get(use) as Signer).publicKey,
      use,
    })),
    mode: 'strict',
    nonce: new Uint8Array(16).fill(seed),
    timeUs: TIME_US,
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any', ...policy },
    blind: false,
    authority: null,
    labels: {},
    crit: [],
    ext: new Map(),
  }
  return { signed: signManifest(manifest, signers.get('owner') as Signer), signers }
}

export interface SampleEntry {
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** A plain or blinded entry with a payload. */
export function entryOf(payload: Uint8Array, kind: 0 | 1 = KIND_PLAIN): SampleEntry {
  const salt = kind === KIND_BLINDED ? new Uint8Array(16).fill(0x5a) : undefined
  const body = createBody(kind, payload, salt)
  const header = encodeHeader({
    kind,
    timeUs: TIME_US,
    payloadBytes: payload.length,
    payloadHash: sha256(body),
    pointers: NO_POINTERS,
    ext: NO_EXTENSION,
  })
  return { header, body }
}

/** Entries that say `word 0`, `word 1`, … */
export function entriesOf(count: number, word = 'entry'): SampleEntry[] {
  return Array.from({ length: count }, (_, i) => entryOf(encodeUtf8(`${word} ${i}`)))
}

/** An entry that erases the payloads of [start, end). */
export function eraseEntryOf(start: number, end: number): SampleEntry {
  const control = { type: 'erase', ranges: [{ start, end }], reason: 'test' } as const
  return { header: encodeHeader(createControlHeader(TIME_US, control)), body: new Uint8Array(0) }
}

/** One history of a branch: entries, and the head that the writer signs at any size. */
export class SampleHistory {
  readonly entries: readonly SampleEntry[]
  readonly branch: BranchId
  readonly tiles: ProofSource
  readonly #leaves: readonly Hash[]

  constructor(entries: readonly SampleEntry[], branch: BranchId = MAIN_BRANCH) {
    this.entries = entries
    this.branch = branch
    this.#leaves = entries.map(({ header }) => hashLeaf(header))
    this.tiles = new ReferenceTiles(this.#leaves)
  }

  root(size: number): Hash {
    return merkleRoot(this.#leaves.slice(0, size))
  }

  head(capsule: SignedManifest, size: number, signer: Signer, epoch = 0): Head {
    const { name } = capsule
    return signHead({ name, branch: this.branch, epoch, size, root: this.root(size) }, signer)
  }

  inclusionPath(index: number, size: number): Hash[] {
    return proveInclusion(this.tiles, index, size)
  }
}
