/**
 * What the engine asks of the place for one writer's anchor, outside the home.
 *
 * @module
 */
export interface AnchorSlot {
  /** The bytes written last, whole, or undefined if there are none. */
  read(): Uint8Array | undefined
  /**
   * Replaces the bytes, all 128 or none. They survive this process at once; after a power loss
   * they may be the ones of an earlier write, but not older than the last `sync`. The driver
   * syncs by itself at the latest one second after a write, and at close (rule WR9).
   *
   * @throws {UnavailableError} `ANCHOR_UNWRITABLE`
   */
  write(bytes: Uint8Array): void
  /** Makes the bytes written last durable, in place. */
  sync(): void
}
