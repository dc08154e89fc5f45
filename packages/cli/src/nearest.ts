/**
 * The word that somebody probably meant.
 *
 * @module
 */

/** More changed letters than this are no typing mistake. */
const DISTANCE_MAX = 2

/** Smallest number of letters added, removed or replaced that turns `a` into `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}

/** The candidate that `word` begins, or the closest one within two letters, or undefined. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > 64) return undefined
  const begun = candidates.filter((candidate) => candidate.startsWith(word))
  if (begun.length === 1 && word.length > 1) return begun[0]
  let best: string | undefined
  let bestDistance = Math.min(DISTANCE_MAX, word.length - 1) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
