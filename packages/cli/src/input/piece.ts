/**
 * What input becomes: pieces, each of which will be one entry.
 *
 * @module
 */

export interface Piece {
  readonly payload: Uint8Array
  /** The entry's time, microseconds; undefined means now. */
  readonly timeUs?: number
}

/** Cuts the bytes of one source into pieces, a batch for each chunk read. */
export type Cutter = (source: ByteSource) => AsyncIterable<readonly Piece[]>

/** Bytes of one file or of stdin. */
export interface ByteSource {
  /** For messages: the path as given, or `stdin`. */
  readonly label: string
  readonly chunks: AsyncIterable<Uint8Array>
  /** Reading was stopped before the end: what is left over may be half of something. */
  readonly interrupted: boolean
}
