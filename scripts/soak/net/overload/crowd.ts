/**
 * Ten times as many writers as a mirror needs to be at its best push to it at once: it must go on
 * taking in at its pace.
 *
 * @module
 */
import { countRefusals, type Field, openClients, type Pace, pace, percent, show } from './field.ts'

/** Writers at a time with which the best is looked for. */
const FEW: readonly number[] = [1, 2, 4]
const FACTOR = 10
/** The best of so many counts, as of the others: what else the machine does slows either down. */
const CROWDS = 2
const BYTES_PER_SECOND_OF_RUN = 3_000_000
const BYTES_MAX = 96_000_000
const GOODPUT_SHARE_MIN = 0.8

interface Trial {
  readonly writers: number
  readonly taken: Pace
  readonly refusals: number
}

/** Throws if the mirror collapses. */
export async function pressCrowd(field: Field): Promise<Record<string, string>> {
  const bytes = Math.min(BYTES_MAX, field.seconds * BYTES_PER_SECOND_OF_RUN)
  const trials: Trial[] = []
  for (const writers of FEW) trials.push(await tryWith(field, writers, bytes))
  const best = trials.reduce((a, b) => (a.taken.perS < b.taken.perS ? b : a))
  const perCpuS = Math.max(...trials.map(({ taken }) => taken.perCpuS))
  const crowds: Trial[] = []
  for (let i = 0; i < CROWDS; i++) {
    crowds.push(await tryWith(field, FACTOR * best.writers, 2 * bytes))
  }
  const crowd = crowds.reduce((a, b) => (a.taken.perCpuS < b.taken.perCpuS ? b : a))
  const text = `${show(crowd.taken)}; at best, with ${best.writers}: ${show(best.taken)}`
  // What a busy machine leaves to the mirror says nothing about it; what it makes of that does.
  if (crowd.taken.perCpuS < GOODPUT_SHARE_MIN * perCpuS) {
    throw new Error(`with ${crowd.writers} writers the mirror takes ${text}`)
  }
  const share = percent(crowd.taken.perCpuS, perCpuS)
  const result = `${text}; for its processor time ${share} of the best, ${crowd.refusals} refusals`
  return { [`${crowd.writers} writers at once`]: result }
}

async function tryWith(field: Field, writers: number, bytes: number): Promise<Trial> {
  const clients = await openClients(field, writers)
  try {
    return { writers, taken: await pace(field, clients, bytes), refusals: countRefusals(clients) }
  } finally {
    for (const client of clients) await client.close()
  }
}
