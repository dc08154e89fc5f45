/**
 * Reads a trace of system calls and checks that every acknowledgement followed its sync.
 *
 * A killed process loses nothing that the page cache has, so no kill can show that data was
 * synced before it was acknowledged. The order of system calls can.
 *
 * @module
 */

/** What the trace must be made of; `-f -y` show threads and the paths of descriptors. */
export const STRACE_ARGUMENTS: readonly string[] = [
  ...['-f', '-y', '-s', '64'],
  ...['-e', 'trace=write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync'],
]

const JOURNAL = /\/store\/segments\//

export interface SyncOrder {
  readonly acknowledgements: number
  readonly journalSyncs: number
  /** One sentence for each acknowledgement that came too early. */
  readonly violations: readonly string[]
}

/** One system call that ended; the two halves of an interrupted line are put together. */
interface Call {
  readonly name: string
  readonly path: string
  readonly text: string
  /** Lines of the trace at which it began and ended. */
  readonly began: number
  readonly ended: number
}

/**
 * For a writer that gets one line at a time and the next one only after the acknowledgement, so
 * that no write of a later group can be on its way.
 */
export function checkSyncOrder(trace: string): SyncOrder {
  const calls = parseCalls(trace).sort((a, b) => a.ended - b.ended)
  const violations: string[] = []
  const counts = { acknowledgements: 0, journalSyncs: 0 }
  /** Path to the line at which its last unsynced write ended. */
  const unsynced = new Map<string, number>()
  let writesSinceAck = 0
  for (const call of calls) {
    if (JOURNAL.test(call.path)) {
      if (/sync$/.test(call.name)) {
        counts.journalSyncs++
        if ((unsynced.get(call.path) ?? Infinity) < call.began) unsynced.delete(call.path)
      } else {
        writesSinceAck++
        unsynced.set(call.path, call.ended)
      }
    } else if (call.text.includes('acked')) {
      counts.acknowledgements++
      const number = counts.acknowledgements
      if (writesSinceAck === 0) violations.push(`acknowledgement ${number}: nothing was written`)
      for (const path of unsynced.keys()) {
        violations.push(`acknowledgement ${number} (line ${call.began}): ${path} is not synced`)
      }
      writesSinceAck = 0
    }
  }
  return { ...counts, violations }
}

const WHOLE = /^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)/
const FIRST_HALF = /^(\d+)\s+(\w+)\((.*)<unfinished \.\.\.>$/
const SECOND_HALF = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)/

function parseCalls(trace: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, { readonly text: string; readonly began: number }>()
  for (const [at, line] of trace.split('\n').entries()) {
    const whole = WHOLE.exec(line)
    const first = FIRST_HALF.exec(line)
    const second = SECOND_HALF.exec(line)
    if (first !== null) open.set(`${first[1]} ${first[2]}`, { text: first[3] ?? '', began: at })
    const half = second === null ? undefined : open.get(`${second[1]} ${second[2]}`)
    const [name, text, result] = whole
      ? [whole[2], whole[3], whole[4]]
      : [second?.[2], half?.text, second?.[4]]
    if (name === undefined || text === undefined || Number(result) < 0) continue
    const path = /^\d+<([^>]*)>/.exec(text)?.[1] ?? ''
    calls.push({ name, path, text, began: half?.began ?? at, ended: at })
  }
  return calls
}
