/**
 * This process on the network: TLS, timers, and a node whose keys live as long as it does.
 *
 * Rule NW5 of docs/spec/network.md.
 *
 * @module
 */
import { createSigner, SEED_BYTES, type Ticket } from '@longshore/capsule'
import {
  createNodePrincipal,
  type Runtime,
  type SessionLimits,
  type TransportEvent,
} from '@longshore/engine'
import { TlsTransport } from '@longshore/engine/node'
import { Network } from '../../network/network.ts'

const NONCE_BYTES = 16
/** A timer of the system cannot be longer. */
const TIMER_MS_MAX = 2_147_483_647

export interface NodeNetworkOptions {
  readonly runtime: Runtime
  /** Neighbors to dial. Default: none before `join`. */
  readonly tickets?: readonly Ticket[]
  /** Default: those of a home (NW6). */
  readonly sessionLimits?: Partial<SessionLimits>
}

/** Not for applications: whoever adds a service verifies by himself what it brings. */
export function openNodeNetwork(options: NodeNetworkOptions): Network {
  const { runtime, tickets = [], sessionLimits } = options
  const seed = runtime.randomBytes(SEED_BYTES)
  const nonce = runtime.randomBytes(NONCE_BYTES)
  const { node, seeds } = createNodePrincipal(seed, { nonce, timeUs: runtime.nowUs() })
  let receive: ((event: TransportEvent) => void) | undefined
  const transport = new TlsTransport({ seed: seeds.tls, onEvent: (event) => receive?.(event) })
  const network = new Network({
    identity: {
      name: node.name,
      signedManifest: node.signed,
      manifest: node.manifest,
      identity: createSigner(seeds.identity),
      mirror: createSigner(seeds.mirror),
    },
    runtime,
    platform: {
      apply: (effect) => transport.apply(effect),
      after: (delayMs, action) => {
        const timer = setTimeout(action, Math.min(delayMs, TIMER_MS_MAX))
        return () => clearTimeout(timer)
      },
      close: () => transport.close(),
    },
    tickets,
    sessionLimits,
  })
  receive = (event) => network.receive(event)
  return network
}
