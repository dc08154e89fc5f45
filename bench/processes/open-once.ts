/**
 * Opens a log in this new process, reads one entry, prints the milliseconds that took.
 *
 *     node open-once.ts longshore DIRECTORY NAME
 *     node open-once.ts hypercore DIRECTORY
 *
 * Loading modules counts: a process that opens a home has to do it.
 *
 * @module
 */
const [kind, directory = '', name = ''] = process.argv.slice(2)

async function openLongshore(): Promise<void> {
  const { openHome } = await import('@longshore/client/node')
  const home = await openHome({ path: directory, create: false })
  const capsule = await home.open(name)
  await capsule.get(Math.floor(capsule.size / 3))
}

async function readHypercore(): Promise<void> {
  const { openHypercore } = await import('../contenders/hypercore.ts')
  const core = await openHypercore(directory)
  await core.get(Math.floor(core.length / 3))
}

const started = performance.now()
await (kind === 'longshore' ? openLongshore() : readHypercore())
console.log(performance.now() - started)
process.exit(0)
