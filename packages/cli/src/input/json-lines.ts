/**
 * Lines that have to be valid JSON (RFC 8259, UTF-8), optionally with the entry's time inside.
 *
 * What is appended are the bytes of the line as they came. Rules CL23 and CL24 of docs/spec/cli.md.
 *
 * @module
 */
import { UsageError } from '@longshore/capsule'
import { type NumberUnit, parseTimeField } from '../text/time.ts'
import { splitLines } from './lines.ts'
import type { ByteSource, Cutter, Piece } from './piece.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface TimeField {
  /** A field of the outermost object. */
  readonly field: string
  readonly unit: NumberUnit
}

/**
 * @throws {UsageError} `JSON_INVALID` or `TIME_INVALID` with `line` (from 1), after all lines
 * before it
 */
export function createJsonLinesCutter(time: TimeField | undefined): Cutter {
  return async function* cutJsonLines(source: ByteSource): AsyncGenerator<readonly Piece[]> {
    let line = 0
    for await (const batch of splitLines(source)) {
      const pieces: Piece[] = []
      let problem: unknown
      try {
        for (const { payload } of batch) {
          line += 1
          pieces.push(checkLine(payload, time, { file: source.label, line }))
        }
      } catch (error) {
        problem = error
      }
      if (pieces.length > 0) yield pieces
      if (problem !== undefined) throw problem
    }
  }
}

interface Place {
  readonly file: string
  readonly line: number
}

function checkLine(payload: Uint8Array, time: TimeField | undefined, place: Place): Piece {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(payload))
  } catch (error) {
    const what = error instanceof SyntaxError ? 'JSON' : 'UTF-8'
    const message = `line ${place.line} of ${place.file} is not valid ${what}`
    throw new UsageError('JSON_INVALID', message, { ...place }, { cause: error })
  }
  if (time === undefined) return { payload }
  const found = fieldOf(value, time.field)
  const timeUs = parseTimeField(found, time.unit)
  if (timeUs !== undefined) return { payload, timeUs }
  const message = `line ${place.line} of ${place.file} has ${whyNoTime(found, time)}`
  throw new UsageError('TIME_INVALID', message, { ...place })
}

/** The value itself is left out: it is payload. */
function whyNoTime(value: unknown, { field, unit }: TimeField): string {
  const name = JSON.stringify(field)
  if (value === undefined) return `no field ${name}`
  const isMs =
    unit === 's' && typeof value === 'number' && parseTimeField(value, 'ms') !== undefined
  const hint = isMs ? ': if it counts milliseconds, say --time-unit ms' : ''
  return `no time in the field ${name}${hint}`
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined
  return (value as Record<string, unknown>)[field]
}
