/**
 * A lock between processes that set the same clone up: a holder that died or hangs is replaced.
 *
 * The lock is a directory of generations `0`, `1`, ...; the highest one holds. Making a directory
 * is atomic, so of two processes that both find the holder dead one gets the next number. Numbers
 * never go back, so a late comer cannot take the lock from a live holder.
 *
 * @module
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** A live holder shows itself this often; one silent for HANGING_MS is taken for dead. */
const HEARTBEAT_MS = 2_000
const HANGING_MS = 60_000
const RETRY_MS = 100

const FREE = 'free'

/** Waits until no other process holds the lock. Returns the function that gives it back. */
export async function acquireSetupLock(directory, say) {
  mkdirSync(directory, { recursive: true })
  for (let waited = false; ; waited = true) {
    const generation = tryAcquire(directory)
    if (generation !== undefined) return hold(directory, generation)
    if (!waited) say('longshore: another process is setting up, waiting ...\n')
    await new Promise((done) => setTimeout(done, RETRY_MS))
  }
}

function tryAcquire(directory) {
  const highest = generations(directory).at(-1)
  if (highest !== undefined && isHeld(join(directory, String(highest)))) return undefined
  const mine = (highest ?? -1) + 1
  try {
    mkdirSync(join(directory, String(mine)))
  } catch (error) {
    if (error.code === 'EEXIST') return undefined
    throw error
  }
  if (generations(directory).at(-1) === mine) return mine
  rmSync(join(directory, String(mine)), { recursive: true })
  return undefined
}

function generations(directory) {
  return readdirSync(directory)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Between making the directory and naming its holder a generation counts as held. */
function isHeld(generation) {
  try {
    if (Date.now() - statSync(generation).mtimeMs > HANGING_MS) return false
    const holder = readFileSync(join(generation, 'holder'), 'utf8')
    if (holder === FREE) return false
    if (holder !== '') process.kill(Number(holder), 0)
    return true
  } catch (error) {
    // ESRCH: the holder died. ENOENT: no holder yet, or just replaced: look again.
    return error.code !== 'ESRCH'
  }
}

function hold(directory, generation) {
  const path = join(directory, String(generation))
  writeFileSync(join(path, 'holder'), String(process.pid))
  for (const older of generations(directory)) {
    if (older < generation) rmSync(join(directory, String(older)), { recursive: true, force: true })
  }
  // Throws, and so ends this process, if it hung for so long that another one took its place.
  const heartbeat = setInterval(() => utimesSync(path, new Date(), new Date()), HEARTBEAT_MS)
  return () => {
    clearInterval(heartbeat)
    writeFileSync(join(path, 'holder'), FREE)
  }
}
