/**
 * One mirror under more than it can do: ten times as many writers as it needs to be at its best,
 * too many questions, too many sessions, a disk and a reader that are slow. It must go on at its
 * pace, refuse the rest cheaply, say when to come again, and stay within its memory.
 *
 * @module
 */
import { parseName, parseTicket } from '@longshore/capsule'
import type { Prng } from '@longshore/engine/testing'
import { NodeProcess } from './node-process.ts'
import { pressCrowd } from './overload/crowd.ts'
import type { Field } from './overload/field.ts'
import { followBeside } from './overload/followers.ts'
import { floodWithQuestions } from './overload/questions.ts'
import { floodWithSessions } from './overload/sessions.ts'
import { pushToSlowDisk } from './overload/slow-disk.ts'
import { RunDirectory } from './run-directory.ts'

/** The mirror's own limits (what waits for its disk, windows of sessions), and Node itself. */
const RSS_BYTES_MAX = 700_000_000
const SAMPLE_MS = 100
/** The last one leaves sessions behind that the mirror still has for a while. */
const STAGES = [pressCrowd, pushToSlowDisk, floodWithQuestions, followBeside, floodWithSessions]

/** Facts to record. Throws if the mirror collapses. `seconds` says how much is pushed. */
export async function overloadMirror(prng: Prng, seconds: number): Promise<Record<string, string>> {
  const runDirectory = new RunDirectory()
  const { path: directory } = runDirectory
  const trouble = Promise.withResolvers<never>()
  trouble.promise.catch(() => {})
  const fail = (error: unknown): void => trouble.reject(error)
  const mirror = new NodeProcess({ id: 'mirror', role: 'mirror', directory, fail })
  const sampling = setInterval(() => mirror.sampleRss(), SAMPLE_MS)
  try {
    await mirror.start()
    const target = { name: parseName(mirror.principal), ticket: parseTicket(mirror.ticket) }
    const facts: Record<string, string> = {}
    for (const stage of STAGES) {
      const field: Field = { mirror, target, prng: prng.child(), seconds }
      Object.assign(facts, await Promise.race([stage(field), trouble.promise]))
    }
    await mirror.stop()
    if (mirror.rssBytesMax > RSS_BYTES_MAX) throw new Error(`it takes ${mirror.rssBytesMax} bytes`)
    return { ...facts, 'memory under overload': `${Math.round(mirror.rssBytesMax / 1e6)} MB` }
  } finally {
    clearInterval(sampling)
    await mirror.kill()
    for (const { proxy } of mirror.links) await proxy.close()
    runDirectory.remove()
  }
}
