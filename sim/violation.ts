/**
 * What a checker throws: an invariant of docs/spec/simulation.md does not hold in this world.
 *
 * @module
 */

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8' | 'I9' | 'workload'

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}

export function hold(invariant: Invariant, condition: boolean, message: () => string): void {
  if (!condition) throw new Violation(invariant, message())
}
