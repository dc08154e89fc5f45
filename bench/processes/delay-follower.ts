/**
 * Follows and verifies, and sends the milliseconds from append to delivery for each entry.
 *
 * @module
 */
import { connect } from 'node:net'

const [kind, directory = '', address = ''] = process.argv.slice(2)
process.on('disconnect', () => process.exit(0))

function report(payload: Uint8Array): void {
  const appended = BigInt(Buffer.from(payload).toString())
  process.send?.(Number(process.hrtime.bigint() / 1000n - appended) / 1000)
}

async function followLongshore(): Promise<void> {
  const { openHome } = await import('@longshore/client/node')
  const home = await openHome({ path: directory, readOnly: true })
  const capsule = await home.open(address)
  process.send?.('ready')
  for await (const { payload } of capsule.follow()) if (payload !== undefined) report(payload)
}

async function followHypercore(): Promise<void> {
  const { openHypercore } = await import('../contenders/hypercore.ts')
  const [port, key = ''] = address.split(' ')
  const core = await openHypercore(`${directory}-follower`, Buffer.from(key, 'hex'))
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  socket.pipe(core.replicate(true)).pipe(socket)
  await new Promise((resolve) => socket.once('connect', resolve))
  process.send?.('ready')
  for (let index = 0; ; index++) report(await core.get(index))
}

await (kind === 'longshore' ? followLongshore() : followHypercore())
