/** A wire carries bytes until it is cut, and again when it is whole. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import test from 'node:test'
import { Wire } from './wire.ts'

function dial({ address }: Wire): Socket {
  return connect({ host: '127.0.0.1', port: Number(address.split(':').at(-1)) })
}

test('FD6: a wire carries bytes both ways, ends all connections when it is cut, and takes none then', async () => {
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const wire = await Wire.open(`tls://127.0.0.1:${(echo.address() as AddressInfo).port}`)
  try {
    const first = dial(wire)
    first.write('there and back')
    assert.equal(String((await once(first, 'data'))[0]), 'there and back')
    const ended = once(first, 'close')
    wire.cut()
    await ended
    const refused = dial(wire).on('error', () => {})
    await once(refused, 'close')
    wire.restore()
    const second = dial(wire)
    second.write('again')
    assert.equal(String((await once(second, 'data'))[0]), 'again')
    second.destroy()
  } finally {
    wire.close()
    echo.close()
  }
})
