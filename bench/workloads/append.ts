/**
 * Appending, embedded: what one process gets from its own store.
 *
 * @module
 */
import { join } from 'node:path'
import { type Capsule, openHome } from '@longshore/client/node'
import { BareSignedLog, BareSync } from '../contenders/bare-log.ts'
import { hypercoreName, openHypercore } from '../contenders/hypercore.ts'
import { rateInFlight, rateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const SMALL_BYTES = 100
const MEDIUM_BYTES = 1024

/** Different every time, as real payloads are; made before the clock starts. */
function createPayloads(count: number, payloadBytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => {
    const payload = new Uint8Array(payloadBytes)
    for (let i = 0; i < payloadBytes; i++) payload[i] = (at * 31 + i * 7) & 255
    return payload
  })
}

type Measure<T> = (target: T, windowMs: number) => Promise<number>

/** Ours, in a home of its own. */
export async function createLongshore(
  directory: string,
  measure: Measure<Capsule>,
): Promise<Contender> {
  const home = await openHome({ path: join(directory, 'home') })
  const capsule = await home.create()
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: (windowMs) => measure(capsule, windowMs),
    close: async () => {
      await capsule.close()
      await home.close()
    },
  }
}

type Append = (blocks: Uint8Array | Uint8Array[]) => Promise<unknown>

async function createHypercore(directory: string, measure: Measure<Append>): Promise<Contender> {
  const core = await openHypercore(join(directory, 'hypercore'))
  return {
    ...{ name: hypercoreName(), role: 'rival', durability: 'not durable' },
    measure: (windowMs) => measure((blocks) => core.append(blocks), windowMs),
    close: () => core.close(),
  }
}

function createBareLog(directory: string, count: number, payloadBytes: number): Contender {
  const log = new BareSignedLog(join(directory, `bare-${count}`), count, payloadBytes)
  return {
    ...{ name: `bare signed log, ${count} a commit`, role: 'limit', durability: 'durable' },
    measure: (windowMs) => rateOf(windowMs, count, () => log.commit()),
    close: () => log.close(),
  }
}

function oneAtATime(): Row {
  const [payload = new Uint8Array()] = createPayloads(1, SMALL_BYTES)
  return {
    title: 'append 100 B, one at a time',
    ...{ unit: 'entries/s', better: 'more', target: 5_500 },
    bound: 'one fdatasync of the journal for each entry, in place',
    contenders: async (directory) => {
      const sync = new BareSync(join(directory, 'bare-sync'))
      return [
        await createLongshore(directory, (capsule, windowMs) =>
          rateOf(windowMs, 1, () => capsule.append(payload)),
        ),
        await createHypercore(directory, (append, windowMs) =>
          rateOf(windowMs, 1, () => append(payload)),
        ),
        {
          ...{ name: 'bare write and fdatasync', role: 'limit', durability: 'durable' },
          measure: (windowMs) => rateOf(windowMs, 1, () => sync.write()),
          close: () => sync.close(),
        },
      ]
    },
  }
}

function inFlight(lanes: number): Row {
  const [payload = new Uint8Array()] = createPayloads(1, SMALL_BYTES)
  return {
    title: `append 100 B, ${lanes} in flight`,
    ...{ unit: 'entries/s', better: 'more', target: 120_000 },
    bound: 'promises and group size: one sync covers what came in during the last one',
    contenders: async (directory) => [
      await createLongshore(directory, (capsule, windowMs) =>
        rateInFlight(windowMs, lanes, () => capsule.append(payload)),
      ),
      await createHypercore(directory, (append, windowMs) =>
        rateInFlight(windowMs, lanes, () => append(payload)),
      ),
      createBareLog(directory, 16, SMALL_BYTES),
      createBareLog(directory, lanes, SMALL_BYTES),
    ],
  }
}

function batches(count: number, payloadBytes: number, target: number): Row {
  const payloads = createPayloads(count, payloadBytes)
  return {
    title: `append ${payloadBytes} B, batches of ${count}`,
    ...{ unit: 'entries/s', better: 'more', target },
    bound: 'hashing, headers and the copy into the journal, on one core',
    contenders: async (directory) => [
      await createLongshore(directory, (capsule, windowMs) =>
        rateOf(windowMs, count, () => capsule.appendMany(payloads)),
      ),
      await createHypercore(directory, (append, windowMs) =>
        rateOf(windowMs, count, () => append(payloads)),
      ),
      createBareLog(directory, 256, payloadBytes),
      ...(count === 256 ? [] : [createBareLog(directory, count, payloadBytes)]),
    ],
  }
}

export const appendRows: readonly Row[] = [
  oneAtATime(),
  inFlight(64),
  batches(1000, SMALL_BYTES, 400_000),
  batches(256, MEDIUM_BYTES, 140_000),
]
