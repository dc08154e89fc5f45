import { test } from 'node:test'
import { createSigner } from '@longshore/capsule'
import { TlsTransport } from '../src/platform/node/index.ts'
import { Prng, SimNetwork } from '../src/testing/index.ts'
import type { TransportEvent } from '../src/transport/transport.ts'
import { type Party, runTransportContract, type TransportHarness } from './transport-contract.ts'

/** Turns of the event loop before a condition is given up: some seconds. */
const TURNS_MAX = 400_000

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function openTls(): Promise<TransportHarness> {
  const transports: TlsTransport[] = []
  let seed = 0
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; !condition(); i++) {
      if (i > TURNS_MAX) throw new Error('it never came true')
      await turn()
    }
  }
  return {
    // Port 1 needs privileges and is never listened on.
    deadAddress: 'tls://127.0.0.1:1',
    until,
    async open(): Promise<Party> {
      const events: TransportEvent[] = []
      const transport = new TlsTransport({
        seed: new Uint8Array(32).fill(++seed),
        onEvent: (event) => events.push(event),
      })
      transports.push(transport)
      const address = await transport.listen('tls://127.0.0.1:0')
      return {
        address,
        tlsKey: transport.publicKey,
        events,
        apply: (effect) => transport.apply(effect),
        kill: () => transport.close(),
      }
    },
    // A loopback round trip is over long before.
    async settle(): Promise<void> {
      for (let i = 0; i < 2000; i++) await turn()
    },
    close: async () => void (await Promise.all(transports.map((transport) => transport.close()))),
  }
}

async function openSimulated(): Promise<TransportHarness> {
  const prng = new Prng(7)
  const network = new SimNetwork(prng.child())
  let count = 0
  return {
    deadAddress: 'mem://nobody',
    async open(): Promise<Party> {
      const events: TransportEvent[] = []
      const tlsKey = createSigner(prng.bytes(32)).publicKey
      const address = `mem://node-${++count}`
      const endpoint = network.attach(address, tlsKey, (event) => events.push(event))
      return {
        address,
        tlsKey,
        events,
        apply: (effect) => endpoint.apply(effect),
        kill: async () => endpoint.detach('silent'),
      }
    },
    async until(condition): Promise<void> {
      while (!condition()) if (!network.queue.step()) throw new Error('nothing is left to happen')
    },
    async settle(): Promise<void> {
      while (network.queue.step());
    },
    close: async () => {},
  }
}

runTransportContract('TLS', openTls, test)
runTransportContract('simulated', openSimulated, test)
