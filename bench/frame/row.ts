/**
 * What the benchmark measures: rows, each with contenders that do the same work in turn.
 *
 * @module
 */

/** What had happened when an operation counted as done. */
export type Durability = 'durable' | 'not durable' | 'no disk'

export type Role = 'longshore' | 'rival' | 'limit'

/** One number, and how it is judged. */
export interface Facet {
  readonly title: string
  /** Of each measured number, such as `entries/s` or `ms`. */
  readonly unit: string
  /** Whether a larger number is better. */
  readonly better: 'more' | 'less'
  /** Where DESIGN sets one. */
  readonly target?: number
  /** What bounds our number now, as far as it is known. */
  readonly bound?: string
}

/** One who does the work; `TValue` is what a window of it gives. */
export interface Contender<TValue = number> {
  readonly name: string
  readonly role: Role
  readonly durability: Durability
  /** Does the work for about `windowMs` and returns what it measured, in the unit of the row. */
  readonly measure: (windowMs: number) => Promise<TValue> | TValue
  readonly close?: () => Promise<void> | void
}

/** One who is not on this machine. */
export interface Absent {
  readonly name: string
  readonly role: Role
  /** Why it cannot be measured. */
  readonly absent: string
}

export interface Row extends Facet {
  /** Creates the contenders, ours first; `directory` is theirs to fill. */
  readonly contenders: (directory: string) => Promise<readonly (Contender | Absent)[]>
  /** Measures each contender once: the work is too long to repeat at will. */
  readonly once?: boolean
  /**
   * How many windows each works before the first that counts; default a quarter. Work that comes in
   * little by little, in several processes, is compiled late.
   */
  readonly warmUpWindows?: number
}

/** A number for each facet, in their order; undefined where a contender has none. */
export type FacetValues = readonly (number | undefined)[]

/** Rows that come out of the same work. */
export interface Study {
  readonly facets: readonly Facet[]
  readonly contenders: (directory: string) => Promise<readonly (Contender<FacetValues> | Absent)[]>
  readonly once?: boolean
  readonly warmUpWindows?: number
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
  readonly absent: readonly Absent[]
}

/** A row is a study with one facet. */
export function asStudy(item: Row | Study): Study {
  if ('facets' in item) return item
  const { contenders, once, warmUpWindows } = item
  return {
    facets: [item],
    contenders: async (directory) =>
      (await contenders(directory)).map((contender) => {
        if ('absent' in contender) return contender
        return {
          ...contender,
          measure: async (windowMs: number) => [await contender.measure(windowMs)],
        }
      }),
    ...(once === undefined ? {} : { once }),
    ...(warmUpWindows === undefined ? {} : { warmUpWindows }),
  }
}
