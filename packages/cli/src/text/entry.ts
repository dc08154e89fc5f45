/**
 * One entry as `read` and `follow` print it. Rules CL14 and CL31 of docs/spec/cli.md.
 *
 * @module
 */
import { formatHex } from '@longshore/capsule'
import type { Entry } from '@longshore/client/node'
import { formatPreview, formatPrintable } from './printable.ts'
import { formatTime } from './time.ts'

/** docs/spec/cli/entry.schema.json */
export function entryObject(entry: Entry): object {
  const { index, timeUs, payloadBytes, payloadHash, header, payload, state } = entry
  const control = header.ext.control
  return {
    index,
    time: formatTime(timeUs),
    size: payloadBytes,
    sha256: formatHex(payloadHash),
    ...(control === null ? {} : { control: control.type }),
    ...(state === 'present' && payload !== undefined
      ? { payload: base64(payload) }
      : state === 'erased'
        ? { erased: true }
        : { hole: true }),
  }
}

/** `7  2026-11-21T03:17:43.123456Z  the payload`. */
export function entryLine(entry: Entry): string {
  return `${entry.index}  ${formatTime(entry.timeUs)}  ${entryContent(entry)}`
}

function entryContent({ header, payload, payloadBytes, state }: Entry): string {
  const { control } = header.ext
  switch (control?.type) {
    case 'erase': {
      const indices = control.ranges.map(({ start, end }) =>
        end === start + 1 ? `${start}` : `${start} to ${end - 1}`,
      )
      return withReason(`erases ${indices.join(', ')}`, control.reason)
    }
    case 'recover':
      return withReason('recovered as the only copy', control.reason)
    case 'branch':
      return withReason('a branch begins', control.reason)
    case 'merge':
      return '(branches end here)'
    case 'writer':
      return '(the writer key changes)'
    default:
  }
  if (state === 'erased') return `(erased, ${payloadBytes} bytes)`
  if (state === 'absent' || payload === undefined) return `(a hole, ${payloadBytes} bytes)`
  return formatPreview(payload)
}

function withReason(what: string, reason: string): string {
  return reason === '' ? `(${what})` : `(${what}: ${formatPrintable(reason)})`
}

/** Buffer's encoder: ten times the speed of ours, which matters for a long read. */
function base64(payload: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = payload
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
