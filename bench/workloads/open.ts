/**
 * Opening what is there: a large capsule from a new process, and a home whose index is gone. Also
 * what an entry takes on disk, because the same home answers both.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { globSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openHome } from '@longshore/client/node'
import { hypercoreName, openHypercore } from '../contenders/hypercore.ts'
import type { Contender, Row } from '../frame/row.ts'

const PAYLOAD_BYTES = 100
const BATCH = 1000

const batch: Uint8Array[] = Array.from({ length: BATCH }, (_, at) =>
  new Uint8Array(PAYLOAD_BYTES).fill(at & 255),
)

interface Filled {
  readonly directory: string
  readonly name: string
}

async function fillLongshore(directory: string, entryCount: number): Promise<Filled> {
  const home = await openHome({ path: directory })
  const capsule = await home.create()
  for (let i = 0; i < entryCount; i += BATCH) await capsule.appendMany(batch)
  await capsule.close()
  await home.close()
  return { directory, name: capsule.text }
}

async function fillHypercore(directory: string, entryCount: number): Promise<Filled> {
  const core = await openHypercore(directory)
  for (let i = 0; i < entryCount; i += BATCH) await core.append(batch)
  await core.close()
  return { directory, name: '' }
}

interface OpenTimes {
  readonly loadMs: number
  readonly openMs: number
}

/** As a new process measures them itself. */
async function openIn(
  kind: 'longshore' | 'hypercore',
  { directory, name }: Filled,
): Promise<OpenTimes> {
  const script = join(import.meta.dirname, '..', 'processes', 'open-once.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, kind, directory, name])
  return JSON.parse(stdout) as OpenTimes
}

function openRow(
  entryCount: number,
  what: string,
  target: number | undefined,
  timeOf: (times: OpenTimes) => number,
): Row {
  return {
    title: `${entryCount.toLocaleString('en')} entries in a new process: ${what}`,
    ...{ unit: 'ms', better: 'less' },
    ...(target === undefined ? {} : { target }),
    contenders: async (directory) => {
      const ours = await fillLongshore(join(directory, 'home'), entryCount)
      const theirs = await fillHypercore(join(directory, 'hypercore'), entryCount)
      return [
        {
          ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
          measure: async () => timeOf(await openIn('longshore', ours)),
        },
        {
          ...{ name: hypercoreName(), role: 'rival', durability: 'not durable' },
          measure: async () => timeOf(await openIn('hypercore', theirs)),
        },
      ]
    },
  }
}

function rebuildRow(entryCount: number): Row {
  return {
    title: 'open with the index gone: all of it is rebuilt from the journal',
    ...{ unit: 'entries/s', better: 'more', target: 500_000 },
    contenders: async (directory) => {
      const { directory: path } = await fillLongshore(join(directory, 'home'), entryCount)
      const rebuild = async (): Promise<number> => {
        rmSync(join(path, 'index'), { recursive: true })
        const started = performance.now()
        const home = await openHome({ path })
        const seconds = (performance.now() - started) / 1000
        await home.close()
        return entryCount / seconds
      }
      return [
        { ...{ name: 'longshore', role: 'longshore', durability: 'durable' }, measure: rebuild },
      ]
    },
  }
}

/** Allocated bytes, which is what a disk has less of. */
function allocatedBytes(directory: string): number {
  return globSync('**', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).blocks * 512, 0)
}

function diskRow(entryCount: number): Row {
  const perByte = (directory: string): number =>
    allocatedBytes(directory) / (entryCount * PAYLOAD_BYTES)
  const contender = (base: Omit<Contender, 'measure'>, { directory }: Filled): Contender => ({
    ...base,
    measure: () => perByte(directory),
  })
  return {
    title: `disk bytes for each payload byte, ${entryCount.toLocaleString('en')} entries of 100 B`,
    ...{ unit: 'B/B', better: 'less', target: 2.5, once: true },
    bound: 'record and frame heads, headers, tiles, the index, and space written ahead',
    contenders: async (directory) => {
      const theirs = await fillHypercore(join(directory, 'hypercore'), entryCount)
      return [
        contender(
          { name: 'longshore', role: 'longshore', durability: 'durable' },
          await fillLongshore(join(directory, 'home'), entryCount),
        ),
        contender({ name: hypercoreName(), role: 'rival', durability: 'not durable' }, theirs),
      ]
    },
  }
}

export function createOpenRows(entryCount: number): readonly Row[] {
  return [
    openRow(entryCount, 'open and read one at random', 50, ({ openMs }) => openMs),
    openRow(entryCount, 'load the modules first', undefined, (times) => {
      return times.loadMs + times.openMs
    }),
    rebuildRow(entryCount),
    diskRow(entryCount),
  ]
}
