/**
 * One case of vectors/post-quantum.json, opened as what it is.
 *
 * @module
 */
import {
  asCapsuleName,
  asMlDsa44PublicKey,
  asPublicKey,
  asRoleKey,
  decodeHead,
  encodeHead,
  formatCheckpoint,
  formatName,
  openCheckpoint,
  openManifest,
  type RoleKey,
  verifyEquivocation,
  verifyHead,
  verifyReceipt,
} from '@longshore/capsule'
import { bytesOf, hexOf } from './read-vectors.ts'

export interface PostQuantumFields {
  readonly kind: 'manifest' | 'head' | 'checkpoint' | 'receipt' | 'evidence'
  readonly name: string
  readonly signed: string
  readonly keys: readonly { readonly alg: string; readonly key: string; readonly use: string }[]
  readonly writerKey: string
  readonly writerMlDsa44: string
  readonly bytes: string
  readonly note: string
  readonly receipt: string
}

/** What the case says, in the words of the vectors. Throws if the product refuses it. */
export function openPostQuantum(vector: PostQuantumFields): Record<string, unknown> {
  switch (vector.kind) {
    case 'manifest': {
      const { name, manifest } = openManifest(bytesOf(vector.signed))
      const keys = manifest.keys.map(({ alg, key, use }) => ({ alg, key: hexOf(key), use }))
      return { name: formatName(name), keys }
    }
    case 'head': {
      const head = decodeHead(bytesOf(vector.bytes))
      verifyHead(asCapsuleName(bytesOf(vector.name)), head, writerOf(vector))
      return { bytes: hexOf(encodeHead(head)) }
    }
    case 'checkpoint': {
      const name = asCapsuleName(bytesOf(vector.name))
      const { head, heartbeatS } = openCheckpoint(vector.note, {
        name,
        writerKey: writerOf(vector),
      })
      const { size, root } = head
      return { size, root: hexOf(root), ...(heartbeatS === undefined ? {} : { heartbeatS }) }
    }
    case 'receipt': {
      const { name, index, unverifiedCosigners } = verifyReceipt(vector.receipt)
      const cosigners = unverifiedCosigners.map((found) => ({ ...found, name: hexOf(found.name) }))
      return { name: formatName(name), index, ...(cosigners.length === 0 ? {} : { cosigners }) }
    }
    case 'evidence': {
      const { name, sizes } = verifyEquivocation(bytesOf(vector.bytes))
      return { name: formatName(name), sizes }
    }
  }
}

/** The checkpoint of the head in a note, as we write it. */
export function writeCheckpoint(vector: PostQuantumFields): string {
  const name = asCapsuleName(bytesOf(vector.name))
  const writerKey = writerOf(vector)
  return formatCheckpoint(name, openCheckpoint(vector.note, { writerKey }).head, writerKey)
}

function writerOf({ writerKey, writerMlDsa44 }: PostQuantumFields): RoleKey {
  const second = asMlDsa44PublicKey(bytesOf(writerMlDsa44))
  return asRoleKey(asPublicKey(bytesOf(writerKey)), second)
}
