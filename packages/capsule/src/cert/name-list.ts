/**
 * The lists of a certificate that each link may only narrow: names, or a word for all of them;
 * and rights.
 *
 * An empty list of names gives nothing and is legal; an unknown right is refused, because a
 * verifier that skipped it would not know what it lets pass. Rules CE7 and CE8 of
 * docs/spec/cert.md.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import type { CborValue } from '../cbor/cbor.ts'
import { checkAscending, readArray, readWord } from '../cbor/read-value.ts'
import { failCert, readName } from './cert-terms.ts'

/** Sorted names, or `TWord`: every name. */
export type NameList<TWord extends string> = TWord | readonly CapsuleName[]

export function readNameList<TWord extends string>(
  value: CborValue | undefined,
  word: TWord,
  countMax: number,
  what: string,
): NameList<TWord> {
  if (value === word) return word
  const names = readArray(value, countMax, what, failCert).map((item) => {
    return readName(item, `a name in ${what}`)
  })
  checkAscending(names, compareBytes, what, failCert)
  return names
}

export function listHasName(list: NameList<string>, name: CapsuleName): boolean {
  return typeof list === 'string' || list.some((item) => bytesEqual(item, name))
}

/** True if every name of `inner` is one of `outer`. Both are sorted, so one pass is enough. */
export function isNameListWithin(inner: NameList<string>, outer: NameList<string>): boolean {
  if (typeof outer === 'string') return true
  if (typeof inner === 'string') return false
  let at = 0
  for (const name of inner) {
    while (at < outer.length && compareBytes(outer[at] as CapsuleName, name) < 0) at++
    if (at === outer.length || !bytesEqual(outer[at] as CapsuleName, name)) return false
  }
  return true
}

/** Rights: at least one of `known`, in the order of the alphabet. */
export function readRights<TRight extends string>(
  value: CborValue | undefined,
  known: readonly TRight[],
): readonly TRight[] {
  const rights = readArray(value, known.length, 'the rights', failCert).map((item) => {
    return readWord(item, known, 'a right', failCert)
  })
  if (rights.length === 0) failCert('a certificate must give a right')
  checkAscending(rights, (a, b) => (a < b ? -1 : a > b ? 1 : 0), 'the rights', failCert)
  return rights
}

export function areRightsWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.every((right) => outer.includes(right))
}
