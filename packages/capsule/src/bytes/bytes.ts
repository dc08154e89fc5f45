/**
 * Joining and comparing byte strings.
 *
 * @module
 */

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Bytewise order, a prefix before what it begins: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * A copy of `bytes[start, end)` that shares no memory with it and is a plain Uint8Array. Bytes from
 * outside are copied with this and not with `slice`, which gives a view if they are a Buffer.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  // Of a plain array `slice` is a copy, and much faster.
  if (bytes.constructor === Uint8Array) return bytes.slice(start, end)
  return new Uint8Array(bytes.subarray(start, end))
}

/** A new array with all parts one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let byteLength = 0
  for (const part of parts) byteLength += part.length
  const joined = new Uint8Array(byteLength)
  let position = 0
  for (const part of parts) {
    joined.set(part, position)
    position += part.length
  }
  return joined
}
