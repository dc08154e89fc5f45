/**
 * Appends the time whenever it is told to; the follower compares it with its own clock, which on
 * one machine is the same. Its first message tells the follower where to look.
 *
 * @module
 */
import { createServer } from 'node:net'

const [kind, directory = ''] = process.argv.slice(2)
process.on('disconnect', () => process.exit(0))

/** Microseconds of the machine's monotonic clock. */
function timestamp(): string {
  return String(process.hrtime.bigint() / 1000n)
}

async function startLongshore(): Promise<void> {
  const { openHome } = await import('@longshore/client/node')
  const home = await openHome({ path: directory })
  const capsule = await home.create()
  process.on('message', () => void capsule.append(timestamp()))
  process.send?.(capsule.text)
}

async function startHypercore(): Promise<void> {
  const { openHypercore } = await import('../contenders/hypercore.ts')
  const core = await openHypercore(directory)
  const server = createServer({ noDelay: true }, (socket) => {
    socket.pipe(core.replicate(false)).pipe(socket)
  })
  process.on('message', () => void core.append(Buffer.from(timestamp())))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address() as { readonly port: number }
    process.send?.(`${address.port} ${Buffer.from(core.key).toString('hex')}`)
  })
}

await (kind === 'longshore' ? startLongshore() : startHypercore())
