/**
 * Long values of a case that resemble the same field of an earlier case are written as what
 * differs, and long repetitions as what is repeated:
 *
 *     {"like":"plain","edits":[[12,2,"ff"]]}     as in the case `plain`, but with 2 characters from
 *                                                the 12th on replaced by `ff`
 *     {"parts":["8401",["00",5000],"f6"]}        these texts one after the other, `00` 5000 times
 *
 * In an array elements are counted, not characters. What another case is like is always written
 * in full, so one look back is enough.
 */

/** Shorter ones are easier to read in full. */
const LONG = 200
/** Equal stretches that are shorter are not worth an edit of their own. */
const STRETCH = { string: 16, array: 2 }
/** So many earlier values are looked at closely. */
const CANDIDATES_MAX = 6
/** A repetition is written as one from this many characters on. */
const RUN = 1000

export class Abbreviations {
  /** By field: id of the case and the value that is written in full. */
  #full = new Map()

  /** The value to be written for a field of the case `id`. */
  abbreviate(id, field, value, mayBeLike) {
    if (!isLong(value)) return value
    const parts = typeof value === 'string' ? findRun(value) : undefined
    if (parts !== undefined) return { parts }
    const known = this.#full.get(field) ?? []
    this.#full.set(field, known)
    const best = mayBeLike ? bestOf(known, value) : undefined
    if (best !== undefined) return best
    known.push({ id, value })
    return value
  }
}

function isLong(value) {
  if (typeof value === 'string') return value.length >= LONG
  const isArray = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return isArray && JSON.stringify(value).length >= LONG
}

/** The shortest way to say it by one of the likeliest earlier values, if it saves half. */
function bestOf(known, value) {
  let best
  let shortest = JSON.stringify(value).length / 2
  const ranked = known.map((one) => ({ ...one, shared: countShared(one.value, value) }))
  ranked.sort((a, b) => b.shared - a.shared)
  const likely = ranked.slice(0, CANDIDATES_MAX).filter(({ shared }) => shared > 0)
  for (const { id, value: before } of likely) {
    const candidate = { like: id, edits: difference(before, value) }
    const { length } = JSON.stringify(candidate)
    if (length >= shortest) continue
    best = candidate
    shortest = length
  }
  return best
}

/** Characters or elements that both begin with, and end with. */
function countShared(before, after) {
  const { start, end } = commonEnds(before, after)
  return start + end
}

function commonEnds(before, after) {
  const shorter = Math.min(before.length, after.length)
  let [start, end] = [0, 0]
  while (start < shorter && before[start] === after[start]) start++
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  return { start, end }
}

/** Edits that make `after` of `before`; positions count in `before`, ascending. */
function difference(before, after) {
  const edits = []
  compare(before, after, 0, edits)
  return edits
}

function compare(before, after, position, edits) {
  const { start, end } = commonEnds(before, after)
  const old = before.slice(start, before.length - end)
  const fresh = after.slice(start, after.length - end)
  if (old.length === 0 && fresh.length === 0) return
  const at = position + start
  const common = findCommon(old, fresh)
  if (common === undefined) {
    edits.push([at, old.length, fresh])
    return
  }
  const [oldAt, freshAt] = common
  compare(old.slice(0, oldAt), fresh.slice(0, freshAt), at, edits)
  compare(old.slice(oldAt), fresh.slice(freshAt), at + oldAt, edits)
}

/** Where a stretch begins that both have: in `old` it is one of those next to each other. */
function findCommon(old, fresh) {
  const size = typeof old === 'string' ? STRETCH.string : STRETCH.array
  const stretchAt = (values, at) => String(values.slice(at, at + size))
  const places = new Map()
  for (let at = 0; at + size <= old.length; at += size) places.set(stretchAt(old, at), at)
  for (let at = 0; at + size <= fresh.length; at++) {
    const oldAt = places.get(stretchAt(fresh, at))
    if (oldAt !== undefined) return [oldAt, at]
  }
  return undefined
}

/** The text around its longest run of one, two or four characters; undefined if that is short. */
function findRun(text) {
  let longest
  for (const size of [1, 2, 4]) {
    for (let start = 0; start + 2 * size <= text.length; start++) {
      let end = start + size
      while (end < text.length && text[end] === text[end - size]) end++
      const count = Math.floor((end - start) / size)
      const length = count * size
      if (length >= RUN && (longest === undefined || length > longest.length)) {
        longest = { start, size, count, length }
      }
      if (end - start > 2 * size) start = end - 2 * size
    }
  }
  if (longest === undefined) return undefined
  const { start, size, count, length } = longest
  const run = [text.slice(start, start + size), count]
  const parts = [text.slice(0, start), run, text.slice(start + length)]
  return parts.filter((part) => part !== '')
}
