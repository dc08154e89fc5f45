/**
 * Hands cborg one token at a time, after checking what cborg alone would let through.
 *
 * cborg recurses as deep as its input says, repairs broken UTF-8 and drops byte order marks. Here
 * nesting is bounded before cborg enters a container, counts are held against the bytes that are
 * left, and text is read strictly. Rules CB3 to CB5 of docs/spec/cbor.md.
 *
 * @module
 */
import { type Token, Tokenizer } from 'cborg'
import { decodeUtf8 } from '../bytes/utf8.ts'
import { VerificationError } from '../errors.ts'

/** Major types, the high three bits of an item's first byte (RFC 8949 section 3.1). */
const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5

/** Low five bits from here on: reserved, or a length given only by a later break. */
const ARGUMENT_RESERVED_MIN = 28

const SIMPLE_FALSE = 0xf4
const SIMPLE_NULL = 0xf6

interface OpenContainer {
  readonly isMap: boolean
  /** Items still to come; a map entry counts as two. */
  left: number
}

export class StrictTokenizer extends Tokenizer {
  readonly #depthMax: number
  readonly #open: OpenContainer[] = []

  constructor(bytes: Uint8Array, depthMax: number) {
    // Not a Buffer, whose `slice` would give cborg views of the input instead of copies.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    super(plain, { strict: true, allowBigInt: false, retainStringBytes: true })
    this.#depthMax = depthMax
  }

  override next(): Token {
    const offset = this.pos()
    const initial = this.data[offset] as number
    const major = initial >> 5
    checkInitialByte(initial, offset)
    this.#enterItem(major, offset)
    const token = super.next()
    if (major === ARRAY || major === MAP) this.#enterContainer(major === MAP, token, offset)
    if (token.byteValue !== undefined) {
      const text = decodeUtf8(token.byteValue)
      if (text === undefined) throw invalid('text that is not UTF-8', offset)
      token.value = text
    }
    return token
  }

  #enterItem(major: number, offset: number): void {
    // A container without items left is complete only now: its last item may have been open.
    while (this.#open.at(-1)?.left === 0) this.#open.pop()
    const container = this.#open.at(-1)
    if (container === undefined) return
    if (container.isMap && container.left % 2 === 0 && major !== TEXT) {
      throw invalid('a map key that is not text', offset)
    }
    container.left--
  }

  #enterContainer(isMap: boolean, token: Token, offset: number): void {
    const left = token.value * (isMap ? 2 : 1)
    // Every item has at least one byte: a false count is refused before it costs anything.
    if (left > this.data.length - offset) throw invalid('more items than bytes', offset)
    if (this.#open.length >= this.#depthMax) throw invalid('nesting too deep', offset)
    this.#open.push({ isMap, left })
  }
}

function checkInitialByte(initial: number, offset: number): void {
  const major = initial >> 5
  if (major === UNSIGNED || (major >= BYTES && major <= MAP)) {
    if ((initial & 31) < ARGUMENT_RESERVED_MIN) return
    throw invalid('an indefinite or reserved length', offset)
  }
  if (initial >= SIMPLE_FALSE && initial <= SIMPLE_NULL) return
  throw invalid('a negative number, tag, float or simple value', offset)
}

function invalid(what: string, offset: number): VerificationError {
  return new VerificationError('CBOR_INVALID', `found ${what}`, { offset })
}
