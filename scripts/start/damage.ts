/**
 * Damage to the disk of a node, and how it is found: bytes are flipped under it, and `longshore
 * fsck` reads everything that it holds.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'

const COMMAND_LINE = new URL('../../packages/cli/src/main.ts', import.meta.url).pathname
const FLIPPED_BYTES = 32
/** How each entry of the telemetry begins. */
const PAYLOAD_START = '{"source":'
const PIECE_BYTES = 65_536
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024

export interface Damage {
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

/** Flips bytes of an entry, about in the middle of what the node has written last. */
export function flipBytes(data: string): Damage {
  const segments = join(data, 'store', 'segments')
  const file = fs.readdirSync(segments).sort().at(-1)
  if (file === undefined) throw new Error(`nothing is stored in ${data}`)
  const descriptor = fs.openSync(join(segments, file), 'r+')
  try {
    const offset = findPayload(descriptor, Math.floor(endOfContent(descriptor) / 2))
    const content = Buffer.alloc(FLIPPED_BYTES)
    const bytes = fs.readSync(descriptor, content, 0, FLIPPED_BYTES, offset)
    const flipped = content.subarray(0, bytes).map((byte) => byte ^ 0xff)
    fs.writeSync(descriptor, flipped, 0, bytes, offset)
    return { file, offset, bytes }
  } finally {
    fs.closeSync(descriptor)
  }
}

/** The first payload behind `start`, else the last one before it. */
function findPayload(descriptor: number, start: number): number {
  const content = Buffer.alloc(fs.fstatSync(descriptor).size)
  fs.readSync(descriptor, content, 0, content.length, 0)
  const behind = content.indexOf(PAYLOAD_START, start)
  const offset = behind < 0 ? content.lastIndexOf(PAYLOAD_START) : behind
  if (offset < 0) throw new Error('nothing of the telemetry is there')
  return offset
}

/** Behind what was written lie zeros, prepared for what comes. */
function endOfContent(descriptor: number): number {
  const piece = Buffer.alloc(PIECE_BYTES)
  let start = fs.fstatSync(descriptor).size
  while (start > 0) {
    start = Math.max(0, start - PIECE_BYTES)
    const read = fs.readSync(descriptor, piece, 0, PIECE_BYTES, start)
    const last = piece.subarray(0, read).findLastIndex((byte) => byte !== 0)
    if (last >= 0) return start + last + 1
  }
  return 0
}

export interface DamageReport {
  readonly problems: readonly { readonly code: string; readonly message: string }[]
}

/** `longshore fsck` beside the running node: what it says is wrong. */
export function findDamage(data: string): Promise<DamageReport> {
  const args = [COMMAND_LINE, '--home', data, 'fsck', '--json']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      // Where something is wrong it prints that and ends with a code that is not 0.
      if (stdout === '') reject(new Error(`fsck of ${data} failed: ${stderr}`, { cause: error }))
      else resolve(JSON.parse(stdout) as DamageReport)
    })
  })
}
