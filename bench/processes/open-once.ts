/**
 * Opens a log in this new process and reads one entry; prints how many milliseconds loading the
 * modules took, and how many opening and reading.
 *
 *     node open-once.ts longshore DIRECTORY NAME
 *     node open-once.ts hypercore DIRECTORY
 *
 * @module
 */
const [kind, directory = '', name = ''] = process.argv.slice(2)

type Open = () => Promise<void>

async function loadLongshore(): Promise<Open> {
  const { openHome } = await import('@longshore/client/node')
  return async () => {
    const home = await openHome({ path: directory, create: false })
    const capsule = await home.open(name)
    await capsule.get(Math.floor(capsule.size / 3))
  }
}

async function loadHypercore(): Promise<Open> {
  const { hypercoreName, openHypercore } = await import('../contenders/hypercore.ts')
  hypercoreName()
  return async () => {
    const core = await openHypercore(directory)
    await core.get(Math.floor(core.length / 3))
  }
}

const started = performance.now()
const open = await (kind === 'longshore' ? loadLongshore() : loadHypercore())
const loaded = performance.now()
await open()
const opened = performance.now()
console.log(JSON.stringify({ loadMs: loaded - started, openMs: opened - loaded }))
process.exit(0)
