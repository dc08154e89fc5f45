/**
 * Looks for what has rotted on the disk: reads every record, and says which capsules are hit.
 *
 * Only checksums are compared, so it costs little more than reading. The index says what lies in a
 * damaged stretch, and so does what is left of a record that it never knew. Rule JR26 of
 * docs/spec/journal.md.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import { nameKey } from '../branch-key.ts'
import type { Slices } from '../slices.ts'
import { startOf } from './journal-reader.ts'
import { scanInSlices } from './journal-scan.ts'
import { countedSegments, type OpenedJournal } from './opened-journal.ts'
import type { Place } from './position-block.ts'
import { NAME_BYTES, RECORD_HEADER_BYTES, RECORD_MANIFEST } from './record.ts'
import type { Segment } from './segment-files.ts'
import { SEGMENT_HEADER_BYTES, type SegmentName, segmentPath } from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'

export interface ScrubReport {
  readonly bytes: number
  readonly damagedBytes: number
  /** Capsules of which the manifest or an entry lies in damage, or was lost in it. */
  readonly capsules: readonly CapsuleName[]
}

interface Stretch {
  readonly segment: number
  readonly generation: number
  readonly start: number
  readonly end: number
}

/** In a record header. */
const TYPE_AT = 4

/** Entries whose places are looked at in one slice. */
const PLACES_PER_SLICE = 16_384

/** `only`: looks at what lies beside this capsule and says nothing of others. */
export function* scrubStore(
  journal: OpenedJournal,
  sliceBytes: number,
  only?: CapsuleName,
): Slices<ScrubReport> {
  const wanted = only === undefined ? undefined : yield* findSegments(journal, only)
  const stretches: Stretch[] = []
  /** Named by what is left of damaged records, by name key: the index may never have known them. */
  const named = new Set<string>()
  let bytes = 0
  for (const name of countedSegments(journal)) {
    yield
    if (wanted?.has(name.number) === false) continue
    // It may have been compacted meanwhile.
    if (!journal.files.disk.exists(segmentPath(name))) continue
    const segment = journal.files.inspect(name)
    const end = endOf(journal, segment)
    const limit = end ?? segment.byteLength
    bytes += limit
    const damage = (start: number, to: number): void => {
      stretches.push({ segment: name.number, generation: name.generation, start, end: to })
    }
    if (segment.recordId === undefined) {
      damage(SEGMENT_HEADER_BYTES, limit)
      continue
    }
    const file = journal.files.disk.open(segmentPath(name), 'read')
    try {
      const window = new SegmentWindow(file, segment.recordId)
      const start = startOf(segment, { segment: 0, offset: 0, sequence: 0, chain: 0 })
      const sink = {
        record: () => undefined,
        damage: (from: number, to: number) => {
          damage(from, to)
          if (window.plausibleBytes(from) === undefined) return
          const trace = window.peek(from, RECORD_HEADER_BYTES + NAME_BYTES)
          const about = trace.slice(RECORD_HEADER_BYTES) as CapsuleName
          if (!isReplaced(journal, about, trace[TYPE_AT], { ...name, offset: from })) {
            named.add(nameKey(about))
          }
        },
        commit: () => undefined,
      }
      yield* scanInSlices(window, start, limit, end !== undefined, sink, sliceBytes)
    } finally {
      file.close()
    }
  }
  let damagedBytes = 0
  for (const { start, end } of stretches) damagedBytes += end - start
  const isSought = stretches.length > 0 || only !== undefined
  const capsules = isSought ? yield* findCapsules(journal, stretches, named, only) : []
  return { bytes, damagedBytes, capsules }
}

/** What the record said does not count any more. */
function isReplaced(
  { state }: OpenedJournal,
  name: CapsuleName,
  type: number | undefined,
  { number: segment, generation, offset }: SegmentName & Pick<Place, 'offset'>,
): boolean {
  if (state.isRemovedAfter(name, { segment, generation, offset })) return true
  const manifest = type === RECORD_MANIFEST ? state.manifestPlace(name) : undefined
  return manifest !== undefined && (manifest.segment !== segment || manifest.offset !== offset)
}

/** Where a segment ends, if that is known. */
function endOf({ files, position }: OpenedJournal, segment: Segment): number | undefined {
  if (segment.number === position.segment) return position.offset
  if (segment.generation > 0) return segment.byteLength
  const successor = files.list().find(({ number }) => number === segment.number + 1)
  return successor === undefined ? undefined : files.inspect(successor).header?.previousEnd
}

/** Where something of the capsule lies, as the index knows it. */
function* findSegments({ state }: OpenedJournal, name: CapsuleName): Slices<Set<number>> {
  const found = new Set<number>()
  const manifest = state.manifestPlace(name)
  if (manifest !== undefined) found.add(manifest.segment)
  for (const id of state.branches(name)) {
    for (let index = 0; ; index++) {
      if ((index + 1) % PLACES_PER_SLICE === 0) yield
      const branch = state.find(name, id)
      if (branch === undefined || index >= branch.known) break
      const { segment, fill } = branch.find(index)
      found.add(segment)
      if (fill !== undefined) found.add(fill.segment)
    }
  }
  return found
}

function* findCapsules(
  { state }: OpenedJournal,
  stretches: readonly Stretch[],
  named: ReadonlySet<string>,
  only: CapsuleName | undefined,
): Slices<CapsuleName[]> {
  const isHit = ({ segment, generation, offset }: Place): boolean =>
    stretches.some((stretch) => {
      if (stretch.segment !== segment || stretch.generation !== generation) return false
      return stretch.start <= offset && offset < stretch.end
    })
  const found: CapsuleName[] = []
  let places = 0
  for (const name of only === undefined ? state.names() : [only]) {
    const manifest = state.manifestPlace(name)
    let isFound = named.has(nameKey(name)) || (manifest !== undefined && isHit(manifest))
    for (const id of state.branches(name)) {
      const { isDamaged = false, isWithheld = false } = state.find(name, id) ?? {}
      isFound ||= isDamaged || isWithheld
      for (let index = 0; !isFound; index++) {
        if (++places % PLACES_PER_SLICE === 0) yield
        // Looked up anew: it may have been removed meanwhile.
        const branch = state.find(name, id)
        if (branch === undefined || index >= branch.known) break
        const place = branch.find(index)
        isFound = isHit(place) || (place.fill !== undefined && isHit(place.fill))
      }
    }
    if (isFound) found.push(name)
  }
  return found
}
