/**
 * Opens a home in this new process and says what that costs:
 *
 *     node open-capsules.ts DIRECTORY
 *
 * @module
 */
import { openHome } from '@longshore/client/node'

/** Milliseconds, and resident memory in MB. */
export interface HomeCosts {
  readonly capsules: number
  readonly openMs: number
  readonly opened: number
  readonly appended: number
  readonly listed: number
  readonly listMs: number
}

const APPENDS = 2000

const residentMegabytes = (): number => process.memoryUsage.rss() / 1e6

const [path = ''] = process.argv.slice(2)
const started = performance.now()
const home = await openHome({ path, create: false })
const openMs = performance.now() - started
const opened = residentMegabytes()

const before = performance.now()
const capsules = (await home.list()).filter(({ type, size }) => type === 'capsule' && size > 0)
const listMs = performance.now() - before
const listed = residentMegabytes()

for (const { name } of capsules.slice(0, APPENDS)) {
  await using capsule = await home.open(name)
  await capsule.append('one more')
}
const appended = residentMegabytes()
await home.close()
const costs: HomeCosts = { capsules: capsules.length, openMs, opened, appended, listed, listMs }
console.log(JSON.stringify(costs))
