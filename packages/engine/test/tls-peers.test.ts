/**
 * Peers that are not nodes, or not the node that was meant: nothing of them reaches the engine.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import { asPublicKey, formatHex } from '@longshore/capsule'
import {
  certificateBody,
  createTlsKeys,
  openCertificate,
  parseAddress,
  TlsTransport,
} from '../src/platform/node/index.ts'
import type { TransportEvent } from '../src/transport/transport.ts'

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

interface Listening {
  readonly events: TransportEvent[]
  readonly transport: TlsTransport
  readonly port: number
}

async function withListener(
  run: (listening: Listening) => Promise<void>,
  limits = { connectionsMax: 8, handshakeMsMax: 300 },
): Promise<void> {
  const events: TransportEvent[] = []
  const onEvent = (event: TransportEvent): void => void events.push(event)
  const transport = new TlsTransport({ seed: seed(1), onEvent, limits })
  try {
    const address = await transport.listen('tls://127.0.0.1:0')
    await run({ events, transport, port: parseAddress(address).port })
  } finally {
    await transport.close()
  }
}

/** Resolves when a TLS client with these options was sent away. */
function sentAway(port: number, options: ConnectionOptions): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => resolve())
  })
}

function pem(certificate: Uint8Array): string {
  const text = Buffer.from(certificate).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
}

function identity(byte: number): ConnectionOptions {
  const { privateKey, certificate } = createTlsKeys(seed(byte))
  return { key: privateKey.export({ format: 'pem', type: 'pkcs8' }), cert: pem(certificate) }
}

test('TP6: a client that offers no or another protocol, or no certificate, is sent away', async () => {
  await withListener(async ({ events, port }) => {
    await sentAway(port, identity(2))
    await sentAway(port, { ...identity(2), ALPNProtocols: ['h2'] })
    await sentAway(port, { ALPNProtocols: ['longshore/1'] })
    assert.deepEqual(events, [])
  })
})

test('TP6: TLS 1.2 is refused', async () => {
  await withListener(async ({ events, port }) => {
    await sentAway(port, { ...identity(2), ALPNProtocols: ['longshore/1'], maxVersion: 'TLSv1.2' })
    assert.deepEqual(events, [])
  })
})

test('TP7: the key of one node in the container of another is refused', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const other = createTlsKeys(seed(3))
  await withListener(async ({ events, port }) => {
    // The certificate of a key that the client does not hold cannot even be loaded.
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' })
    assert.throws(() => connect({ port, key, cert: pem(other.certificate) }))
    assert.deepEqual(events, [])
  })
})

test('TP6 TP10: garbage, silence and half a handshake end with the time limit', async () => {
  await withListener(async ({ events, port }) => {
    const closed = (greeting: string): Promise<void> =>
      new Promise((resolve) => {
        const socket: Socket = connectTcp(port, '127.0.0.1', () => socket.write(greeting))
        socket.on('error', () => {})
        socket.on('data', () => {})
        socket.on('close', () => resolve())
      })
    await Promise.all([closed('GET / HTTP/1.1\r\n\r\n'), closed(''), closed('\x16\x03\x01\x02')])
    assert.deepEqual(events, [])
  })
})

test('TP10: connections beyond the limit are refused, and one that ends makes room', async () => {
  await withListener(
    async ({ port }) => {
      const open = (): Promise<Socket> =>
        new Promise((resolve) => {
          const socket = connectTcp(port, '127.0.0.1', () => resolve(socket))
          socket.on('error', () => {})
        })
      const first = await open()
      const second = await open()
      await new Promise<void>((resolve) => second.once('close', () => resolve()).resume())
      assert.equal(first.destroyed, false)
      first.destroy()
    },
    { connectionsMax: 1, handshakeMsMax: 10_000 },
  )
})

test('TP9: a dial to somebody who never answers the handshake fails in time', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const failed = await new Promise<TransportEvent>((resolve) => {
    const limits = { connectionsMax: 1, handshakeMsMax: 200 }
    const transport = new TlsTransport({ seed: seed(1), onEvent: resolve, limits })
    const address = `tls://127.0.0.1:${port}`
    transport.apply({ type: 'dial', dial: 4, address, tlsKey: transport.publicKey })
  })
  silent.close()
  assert.deepEqual(failed, { type: 'dial-failed', dial: 4, reason: 'timed out' })
})

test('TP10: a port that is taken is PORT_TAKEN', async () => {
  await withListener(async ({ transport, port }) => {
    await assert.rejects(transport.listen(`tls://127.0.0.1:${port}`), { code: 'PORT_TAKEN' })
  })
})

test('TP7: a certificate has one spelling, and every changed byte is refused', () => {
  const { certificate, publicKey } = createTlsKeys(seed(5))
  assert.deepEqual(openCertificate(certificate), publicKey)
  const bodyEnd = 3 + certificateBody(publicKey).byteLength
  for (let at = 0; at < certificate.byteLength; at++) {
    // Another key is another node's certificate, and another signature is TLS's to check.
    if (at >= bodyEnd - 32 && at < bodyEnd) continue
    if (at >= certificate.byteLength - 64) continue
    const changed = certificate.slice()
    changed[at]! ^= 1
    assert.throws(() => openCertificate(changed), { code: 'HELLO_INVALID' })
    assert.throws(() => openCertificate(certificate.subarray(0, at)), { code: 'HELLO_INVALID' })
  }
})

test('TP7: the example in transport.md', () => {
  const path = new URL('../../../docs/spec/transport.md', import.meta.url)
  const block = readFileSync(path, 'utf8').split('```text certificate\n')[1]?.split('\n```')[0]
  const hex = (block ?? '').split('\n').map((line) => line.split(/ {2,}/)[0]?.replaceAll(' ', ''))
  const body = certificateBody(asPublicKey(new Uint8Array(32).fill(1)))
  assert.equal(hex.join(''), formatHex(body))
})

test('TP11: addresses have one spelling', () => {
  assert.deepEqual(parseAddress('tls://localhost:0'), { host: 'localhost', port: 0 })
  assert.deepEqual(parseAddress('tls://[::1]:8007'), { host: '::1', port: 8007 })
  const wrong = ['', 'localhost:1', 'tls://:1', 'tls://a', 'tls://a:01', 'tls://a:65536']
  for (const text of [...wrong, 'tls://a:1/', 'tls://::1:1', 'tcp://a:1', 'tls://a b:1']) {
    assert.throws(() => parseAddress(text), { code: 'USAGE' }, text)
  }
})
