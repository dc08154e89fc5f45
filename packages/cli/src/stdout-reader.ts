/**
 * Is somebody still reading stdout? Asked while there is nothing to write, because only a write
 * would tell by itself.
 *
 * A socket answers to a write of no bytes. A pipe takes that without a word, but Linux shows which
 * process has its other end open; elsewhere, and where the reader is hidden from this user, the
 * next write tells. Rule CL12 of docs/spec/cli.md.
 *
 * @module
 */
import { fstatSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'

const STDOUT = 1
/** Soon for a person, rare enough to cost nothing. */
const LOOK_MS = 250
const NOTHING: Uint8Array = new Uint8Array(0)
/** Of the open flags in /proc/PID/fdinfo. */
const ACCESS_MODE = 3
const WRITE_ONLY = 1
/** Stands where this user may not look. No link or listing reads so. */
const HIDDEN = 'hidden'

/** Calls `left` once when the reader of stdout is gone. Does not keep the process running. */
export function watchStdoutReader(left: () => void): Disposable {
  const isThere = createLook()
  const timer = setInterval(() => {
    if (isThere()) return
    clearInterval(timer)
    left()
  }, LOOK_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** A function that says whether somebody is there, as far as can be known. */
function createLook(): () => boolean {
  const stats = fstatSync(STDOUT)
  if (stats.isSocket()) return socketIsOpen
  const pipe = stats.isFIFO() ? readLink(`/proc/self/fd/${STDOUT}`) : undefined
  const first = pipe === undefined ? undefined : searchReader(pipe)
  let reader = first?.reader
  // Nobody was seen from the beginning: there is nobody who could be seen leaving.
  if (pipe === undefined || first === undefined || reader === undefined) return () => true
  return () => {
    const found = readLink(reader ?? '')
    if (found === pipe || found === HIDDEN) return true
    const now = searchReader(pipe)
    reader = now.reader
    // A process that hid itself since may be the reader (`| sudo tee`).
    return reader !== undefined || now.hidden.some((pid) => !first.hidden.includes(pid))
  }
}

function socketIsOpen(): boolean {
  try {
    writeSync(STDOUT, NOTHING)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EPIPE'
  }
}

interface Search {
  /** An open file of another process, as `/proc/PID/fd/N`, that reads from the pipe. */
  readonly reader: string | undefined
  /** Processes of this session that this user may not look into. */
  readonly hidden: readonly string[]
}

function searchReader(pipe: string): Search {
  const hidden: string[] = []
  const session = sessionOf('self')
  const processes = tryRead(() => readdirSync('/proc'))
  for (const pid of processes === undefined || processes === HIDDEN ? [] : processes) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const fds = tryRead(() => readdirSync(`/proc/${pid}/fd`))
    if (fds === HIDDEN && sessionOf(pid) === session) hidden.push(pid)
    if (fds === undefined || fds === HIDDEN) continue
    for (const fd of fds) {
      const reader = `/proc/${pid}/fd/${fd}`
      if (readLink(reader) === pipe && canRead(`/proc/${pid}/fdinfo/${fd}`)) {
        return { reader, hidden }
      }
    }
  }
  return { reader: undefined, hidden }
}

function canRead(fdinfo: string): boolean {
  const text = tryRead(() => readFileSync(fdinfo, 'latin1')) ?? ''
  const flags = /^flags:\s*([0-7]+)$/m.exec(text)?.[1]
  return flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) !== WRITE_ONLY
}

/** Fields after the name, which may hold spaces: state, parent, group, session. */
function sessionOf(pid: string): string | undefined {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]
}

function readLink(path: string): string | undefined {
  return tryRead(() => readlinkSync(path))
}

/** Processes come and go, and not all of them may be looked into. */
function tryRead<T>(read: () => T): T | typeof HIDDEN | undefined {
  try {
    return read()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? HIDDEN : undefined
  }
}
