/**
 * Bytes are flipped on the disk of a mirror: it must never show them to anybody as the truth,
 * `fsck` must find them, and the mirror must mend its copies from the others, in place and as the
 * same node. Only one that has lost what makes it that node is replaced by a new one.
 *
 * @module
 */
import { closeSync, globSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isLongshoreError } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Prng } from '@longshore/engine/testing'
import type { Chaos } from './chaos.ts'
import type { Federation } from './federation.ts'
import type { NodeProcess } from './node-process.ts'
import type { Watch } from './watch.ts'

const FLIPS = 16
/** Bytes of zeros lie between records and behind them; somewhere else is soon found. */
const TRIES_MAX = 1000
/** How long the damaged mirror is asked by everybody. */
const SERVING_MS = 3000
/** How long it may take to find the damage, and to be filled by mirrors that are killed, too. */
const MENDING_MS = 120_000
const LOOK_MS = 1000

/** After some seconds. Says what was found. */
export async function damageMirror(
  federation: Federation,
  chaos: Chaos,
  watch: Watch,
  prng: Prng,
  afterS: number,
): Promise<string> {
  await pause(afterS * 1000)
  const mirror = prng.pick(federation.mirrors)
  const { principal } = mirror
  const releases: (() => void)[] = []
  for (const { id } of [mirror, ...federation.writers]) releases.push(await chaos.reserve(id))
  mirror.isExpendable = true
  watch.lose(mirror)
  const whileRunning = prng.chance(0.5)
  if (!whileRunning) await mirror.kill()
  // Bytes anywhere nearly always hit the head log, too, and then it is no more the same node.
  if (prng.chance(0.5)) flipAnywhere(mirror, prng)
  else flipPayloads(mirror, federation, prng)
  const hasRefused = whileRunning ? false : await refusesToStart(mirror)
  await pause(SERVING_MS)
  const hasEnded = !mirror.isRunning
  await mirror.kill()
  const found = await findProblems(mirror)
  if (found === 0) throw new Error(`fsck has not found the flipped bytes of ${mirror.id}`)
  mirror.isExpendable = false
  const isSame = await startsAs(principal, mirror)
  if (isSame) await mendsInPlace(federation, mirror)
  else await federation.replaceMirror(mirror, principal)
  watch.regain(mirror)
  for (const each of releases) each()
  const how = hasRefused ? 'refused to start' : hasEnded ? 'ended by itself' : 'served the rest'
  return `${mirror.id}, ${whileRunning ? 'running' : 'killed'}: ${how}, fsck found ${found}, ${isSame ? 'mended' : 'replaced'}`
}

/** False if its keys or its head log are lost: it does not start, or as another node. */
async function startsAs(principal: string, mirror: NodeProcess): Promise<boolean> {
  return !(await refusesToStart(mirror)) && mirror.principal === principal
}

/** Until every capsule on its disk is whole again. */
async function mendsInPlace({ writers }: Federation, mirror: NodeProcess): Promise<void> {
  const capsules = writers.map(({ capsule }) => capsule)
  const endMs = Date.now() + MENDING_MS
  for (;;) {
    const problem = await findUnsound(mirror, capsules)
    if (problem === undefined) break
    if (Date.now() > endMs) throw new Error(`${mirror.id} has not mended its copy: ${problem}`)
    await pause(LOOK_MS)
  }
  mirror.hasMended = true
  // What was damaged is still on the disk, and fsck says so, until its operator has it compacted.
  await using home = await openHome({ path: mirror.data, create: false })
  await home.compact()
}

/** Reads each of them from the disk, beside the node. */
async function findUnsound(
  { data }: NodeProcess,
  capsules: readonly string[],
): Promise<string | undefined> {
  try {
    await using home = await openHome({ path: data, readOnly: true })
    for (const name of capsules) {
      await using capsule = await home.open(name)
      const { absent } = await capsule.verify()
      if (absent > 0) return `${name} lacks ${absent} payloads`
    }
    return undefined
  } catch (error) {
    if (isLongshoreError(error)) return error.message
    throw error
  }
}

function segmentsOf({ data }: NodeProcess): string[] {
  return globSync('store/segments/*.seg', { cwd: data }).map((path) => join(data, path))
}

/** In what it mirrors: lines of the writers. */
function flipPayloads(mirror: NodeProcess, { writers }: Federation, prng: Prng): void {
  const places: [path: string, at: number][] = []
  for (const path of segmentsOf(mirror)) {
    const bytes = readFileSync(path)
    for (const { id } of writers) {
      const line = `${id} `
      for (let at = bytes.indexOf(line); at !== -1; at = bytes.indexOf(line, at + 1)) {
        places.push([path, at])
      }
    }
  }
  if (places.length === 0) throw new Error(`nothing to damage in ${mirror.data}`)
  for (let flips = 0; flips < FLIPS; flips++) {
    const [path, at] = prng.pick(places)
    const file = openSync(path, 'r+')
    writeSync(file, 'X', at)
    closeSync(file)
  }
}

/** Bytes that are not zero, anywhere in the journal. */
function flipAnywhere(mirror: NodeProcess, prng: Prng): void {
  const { data } = mirror
  const segments = segmentsOf(mirror)
  const byte = new Uint8Array(1)
  let flips = 0
  for (let tries = 0; tries < TRIES_MAX && flips < FLIPS; tries++) {
    const path = prng.pick(segments)
    const file = openSync(path, 'r+')
    const at = prng.below(statSync(path).size)
    readSync(file, byte, 0, 1, at)
    if (byte[0] !== 0) {
      byte[0] = (byte[0] as number) ^ (1 << prng.below(8))
      writeSync(file, byte, 0, 1, at)
      flips++
    }
    closeSync(file)
  }
  if (flips === 0) throw new Error(`nothing to damage in ${data}`)
}

async function refusesToStart(mirror: NodeProcess): Promise<boolean> {
  try {
    await mirror.start()
    return false
  } catch {
    return true
  }
}

async function findProblems({ data }: NodeProcess): Promise<number> {
  try {
    await using home = await openHome({ path: data, readOnly: true })
    return (await home.fsck()).problems.length
  } catch (error) {
    if (isLongshoreError(error)) return 1
    throw error
  }
}
