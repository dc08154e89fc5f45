/**
 * `holder.json`: who holds the home, for the messages of others, and where it listens.
 *
 *     {"pid":4711,"command":"longshore append","socket":"…/.longshore/socket"}
 *
 * It is no lock: what it says may be out of date, and then nobody listens there.
 * Rule HM9 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { basename } from 'node:path'

const FILE_BYTES_MAX = 65_536
const COMMAND_CHARS_MAX = 120

export interface HolderInfo {
  readonly pid: number
  readonly command: string
  readonly socket: string
}

/** This process. */
export function describeHolder(socket: string): HolderInfo {
  const command = [basename(process.argv[1] ?? process.argv0), process.argv[2] ?? '']
  return { pid: process.pid, command: command.join(' ').trim().slice(0, COMMAND_CHARS_MAX), socket }
}

export function writeHolderFile(path: string, info: HolderInfo): void {
  fs.rmSync(`${path}.new`, { force: true })
  fs.writeFileSync(`${path}.new`, `${JSON.stringify(info)}\n`, { mode: 0o600, flag: 'wx' })
  fs.renameSync(`${path}.new`, path)
}

/** Undefined if there is no file, or nothing sensible in it. */
export function readHolderFile(path: string): HolderInfo | undefined {
  try {
    if (fs.statSync(path).size > FILE_BYTES_MAX) return undefined
    const value = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<HolderInfo> | null
    const { pid, command, socket } = value ?? {}
    if (typeof pid !== 'number' || typeof command !== 'string') return undefined
    return typeof socket === 'string' ? { pid, command, socket } : undefined
  } catch {
    return undefined
  }
}
