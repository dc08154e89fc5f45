/**
 * The adversary against everything but receipts: manifests, checkpoints, heads, entries, proofs,
 * packages and evidence. See `adversary.test.ts`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asHash,
  type CborValue,
  decodeCbor,
  encodeCbor,
  type Hash,
  verifyConsistency,
  verifyInclusion,
  verifySubtree,
} from '@longshore/capsule'
import { Attack, type Statement, type Truths, truthsOf } from './adversary/attack.ts'
import { type Mutant, mutateBytes, mutateLines, mutateValue } from './adversary/mutants.ts'
import { mutateManifest } from './adversary/receipt-mutants.ts'
import {
  readCheckpoint,
  readEntry,
  readEvidence,
  readHead,
  readManifest,
  readPackage,
  type TrustedRange,
  type TrustedWriter,
} from './adversary/statements.ts'
import { bytesOf, hexOf, readVectors, type VectorCase } from './read-vectors.ts'

/** The valid case with this id. */
function valid<TFields>(topic: string, id: string): VectorCase & TFields {
  const found = readVectors<TFields>(topic).find((vector) => vector.id === id)
  assert.ok(found?.valid, `${topic} ${id}`)
  return found
}

/** Attacks a reader of bytes with mutants of an original that it accepts. */
function attackBytes(
  name: string,
  original: Uint8Array,
  read: (bytes: Uint8Array) => Statement,
  ...mutants: Iterable<Mutant<Uint8Array>>[]
): void {
  const attack = new Attack(name)
  const truths: Truths = truthsOf([read(original)])
  for (const list of [mutateBytes(original, [0, 3, 5, 7]), ...mutants]) {
    for (const { what, value } of list) attack.attempt(what, truths, () => read(value))
  }
  attack.check()
}

/** Mutants of the value that the bytes encode. */
function* mutateEncoded(bytes: Uint8Array): Generator<Mutant<Uint8Array>> {
  for (const { what, value } of mutateValue(decodeCbor(bytes))) {
    yield { what, value: encodeCbor(value) }
  }
}

function* encoded(mutants: Iterable<Mutant<string>>): Generator<Mutant<Uint8Array>> {
  for (const { what, value } of mutants) yield { what, value: new TextEncoder().encode(value) }
}

test('MF5 MF9 SG12 SG13: no changed manifest is believed', () => {
  for (const id of ['capsule', 'policy', 'node']) {
    const signed = bytesOf(valid<{ signed: string }>('manifest', id).signed)
    attackBytes(`manifest ${id}`, signed, readManifest, mutateManifest(signed))
  }
})

test('CP4 CP5 CP8 CP10 CP16 CP17: no changed checkpoint is believed', () => {
  for (const id of ['head-12345-branch', 'note-heartbeat', 'note-witness']) {
    const vector = valid<TrustedWriter & { note: string }>('checkpoint', id)
    const note = new TextEncoder().encode(vector.note)
    const read = (bytes: Uint8Array) => readCheckpoint(vector, bytes)
    attackBytes(`checkpoint ${id}`, note, read, encoded(mutateLines(vector.note)))
  }
})

test('CP12 CP13: no changed head is believed', () => {
  for (const id of ['main', 'branch']) {
    const trusted = valid<TrustedWriter>('head', `verify-${id}`)
    const bytes = bytesOf(valid<{ bytes: string }>('head', `decode-${id}`).bytes)
    const read = (head: Uint8Array) => readHead(trusted, head)
    attackBytes(`head ${id}`, bytes, read, mutateEncoded(bytes))
  }
})

test('EN3 EN5 EN8: no changed entry is believed', () => {
  for (const id of ['plain', 'blinded', 'encrypted']) {
    const vector = valid<{ bytes: string; leafHash: string; body: string }>('header', id)
    const [header, body] = [bytesOf(vector.bytes), bytesOf(vector.body)]
    const leafHash = asHash(bytesOf(vector.leafHash))
    attackBytes(
      `header ${id}`,
      header,
      (bytes) => readEntry(leafHash, bytes, body),
      mutateEncoded(header),
    )
    attackBytes(`body ${id}`, body, (bytes) => readEntry(leafHash, header, bytes))
  }
})

test('PK6 PK7: no changed package is believed', () => {
  for (const id of ['0-7-of-7', '3-7-of-7', '299-300-of-300']) {
    const vector = valid<TrustedRange & { bytes: string }>('entry-package', id)
    const read = (bytes: Uint8Array) => readPackage(vector, bytes)
    attackBytes(`package ${id}`, bytesOf(vector.bytes), read)
  }
})

test('EV6 EV7: no changed evidence convicts anybody else', () => {
  for (const id of ['3-and-7', '4-and-7', '5-and-5']) {
    const bytes = bytesOf(valid<{ bytes: string }>('evidence', id).bytes)
    attackBytes(`evidence ${id}`, bytes, readEvidence, mutateEncoded(bytes))
  }
})

/** Paths of the right type: what a decoder of proofs can give to a verifier. */
function* mutatePath(path: readonly Hash[]): Generator<Mutant<Hash[]>> {
  for (const { what, value } of mutateValue(path as readonly CborValue[], 'path')) {
    if (!Array.isArray(value) || !value.every(isHash)) continue
    yield { what, value: value.map((hash) => asHash(hash as Uint8Array)) }
  }
  for (const [at, hash] of path.entries()) {
    for (const { what, value } of mutateBytes(hash, [0, 6])) {
      if (value.length === 32) yield { what: `${at}: ${what}`, value: path.with(at, asHash(value)) }
    }
  }
}

function isHash(value: CborValue): boolean {
  return value instanceof Uint8Array && value.length === 32
}

/** Other numbers in the place of one. */
function* mutateIndex(index: number): Generator<Mutant<number>> {
  for (const { what, value } of mutateValue(index, 'index')) {
    if (typeof value === 'number') yield { what, value }
  }
  for (let other = 0; other < 70; other += 1) {
    if (other !== index) yield { what: `index ${other}`, value: other }
  }
}

const hashOf = (hex: string): Hash => asHash(bytesOf(hex))

test('PR6 PR7: no changed inclusion proof is believed', () => {
  interface Fields {
    readonly index: number
    readonly size: number
    readonly leafHash: string
    readonly path: readonly string[]
    readonly root: string
  }
  const attack = new Attack('inclusion proofs')
  for (const id of ['3-of-9', '8-of-9', '69999-of-70000', '2147483648-of-4294967296']) {
    const { index, size, leafHash, path, root } = valid<Fields>('inclusion', id)
    const hashes = path.map(hashOf)
    const read = (at: number, by: Hash[], leaf: Hash = hashOf(leafHash)): Statement => {
      verifyInclusion(leaf, { index: at, size, path: by }, hashOf(root))
      return { says: `${at} ${hexOf(leaf)}` }
    }
    const truths = truthsOf([read(index, hashes)])
    for (const { what, value } of mutatePath(hashes)) {
      attack.attempt(`${id}: ${what}`, truths, () => read(index, value))
    }
    for (const { what, value } of mutateIndex(index)) {
      attack.attempt(`${id}: ${what}`, truths, () => read(value, hashes))
    }
    for (const { what, value } of mutatePath([hashOf(leafHash)])) {
      const [leaf] = value
      if (leaf === undefined) continue
      attack.attempt(`${id}: leaf ${what}`, truths, () => read(index, hashes, leaf))
    }
  }
  attack.check()
})

test('PR6 PR7 PR8: no changed consistency proof is believed', () => {
  interface Fields {
    readonly oldSize: number
    readonly oldRoot: string
    readonly newSize: number
    readonly newRoot: string
    readonly path: readonly string[]
  }
  const attack = new Attack('consistency proofs')
  for (const id of ['3-to-9', '4-to-9', '65537-to-70000']) {
    const { oldSize, oldRoot, newSize, newRoot, path } = valid<Fields>('consistency', id)
    const read = (by: Hash[], root: Hash = hashOf(oldRoot)): Statement => {
      const roots = { oldRoot: root, newRoot: hashOf(newRoot) }
      verifyConsistency({ oldSize, newSize, ...roots, path: by })
      return { says: `${oldSize} ${hexOf(root)}` }
    }
    const hashes = path.map(hashOf)
    const truths = truthsOf([read(hashes)])
    for (const { what, value } of mutatePath(hashes)) {
      attack.attempt(`${id}: ${what}`, truths, () => read(value))
    }
    for (const { what, value } of mutatePath([hashOf(oldRoot)])) {
      const [root] = value
      if (root === undefined) continue
      attack.attempt(`${id}: root ${what}`, truths, () => read(hashes, root))
    }
  }
  attack.check()
})

test('PR6 PR7: no changed subtree proof is believed', () => {
  interface Fields {
    readonly start: number
    readonly end: number
    readonly size: number
    readonly hash: string
    readonly path: readonly string[]
    readonly root: string
  }
  const attack = new Attack('subtree proofs')
  for (const id of ['4-6-of-7', '4-7-of-9', '256-512-of-70000']) {
    const { start, end, size, hash, path, root } = valid<Fields>('subtree', id)
    const hashes = path.map(hashOf)
    const read = (by: Hash[], from: number = start, to: number = end): Statement => {
      verifySubtree({ start: from, end: to, size, path: by }, hashOf(hash), hashOf(root))
      return { says: `${from} ${to}` }
    }
    const truths = truthsOf([read(hashes)])
    for (const { what, value } of mutatePath(hashes)) {
      attack.attempt(`${id}: ${what}`, truths, () => read(value))
    }
    for (const { what, value } of mutateIndex(start)) {
      attack.attempt(`${id}: start ${what}`, truths, () => read(hashes, value))
      attack.attempt(`${id}: end ${what}`, truths, () => read(hashes, start, value))
    }
  }
  attack.check()
})
