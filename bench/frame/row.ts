/**
 * What the benchmark measures: rows, each with contenders that do the same work in turn.
 *
 * @module
 */

/** What had happened when an operation counted as done. */
export type Durability = 'durable' | 'not durable' | 'no disk'

export type Role = 'longshore' | 'rival' | 'limit'

/** One who does the work of a row. */
export interface Contender {
  readonly name: string
  readonly role: Role
  readonly durability: Durability
  /** Does the work for about `windowMs` and returns what it measured, in the unit of the row. */
  readonly measure: (windowMs: number) => Promise<number> | number
  readonly close?: () => Promise<void> | void
}

export interface Row {
  readonly title: string
  /** Of each measured number, such as `entries/s` or `ms`. */
  readonly unit: string
  /** Whether a larger number is better. */
  readonly better: 'more' | 'less'
  /** Where DESIGN sets one. */
  readonly target?: number
  /** What bounds our number now, as far as it is known. */
  readonly bound?: string
  /** Creates the contenders, ours first; `directory` is theirs to fill. */
  readonly contenders: (directory: string) => Promise<readonly Contender[]>
  /** Measures each contender once: the work is too long to repeat at will. */
  readonly once?: boolean
}

export interface Measured {
  readonly name: string
  readonly role: Role
  readonly durability: Durability
  /** Median of the windows. */
  readonly value: number
  readonly windows: readonly number[]
}

export interface RowResult {
  readonly title: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly target: number | undefined
  readonly bound: string | undefined
  readonly measured: readonly Measured[]
}
