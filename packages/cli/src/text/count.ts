/**
 * Numbers of things in a sentence.
 *
 * @module
 */

/** `1 entry`, `2 entries`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
