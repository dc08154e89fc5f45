/**
 * The outside world of one engine: everything that could make two runs differ.
 *
 * @module
 */
export interface Runtime {
  /** Microseconds since 1970-01-01T00:00:00Z. May go backwards. */
  nowUs(): number
  /** `byteLength` bytes that nobody can predict (in a simulation: that the seed decides). */
  randomBytes(byteLength: number): Uint8Array
  /** Changes when the system restarts: what was not synced under another value may be lost. */
  readonly bootId: string
  /** One structured line for an operator. `event` is a constant of low cardinality. */
  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    details?: Readonly<Record<string, string | number>>,
  ): void
}
