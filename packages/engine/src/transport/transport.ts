/**
 * What the engine asks of a transport: connections to other nodes as ordered, reliable, encrypted
 * byte streams whose two ends know each other's TLS key.
 *
 * The engine never touches a socket. It emits effects; whoever drives it carries them out and
 * reports events. The real one is TLS 1.3 over TCP (`platform/node/tls/`), the simulated one
 * is `testing/sim-network.ts`; both pass one contract suite. Rules TP1 to TP9 of
 * docs/spec/transport.md.
 *
 * @module
 */
import type { PublicKey } from '@longshore/capsule'

/** Names one connection of this node, never used again in this process. */
export type ConnectionId = number

export type TransportEvent =
  /** Both ends have proven their TLS keys. Nothing is known about principals yet. */
  | {
      readonly type: 'connected'
      readonly connection: ConnectionId
      /** Which `dial` this answers; undefined if the other side dialled. */
      readonly dial: number | undefined
      readonly peerTlsKey: PublicKey
      /** 32 bytes that both ends, and nobody else, know of this connection (RFC 9266). */
      readonly exporter: Uint8Array
      /** Address of the other end, for people. */
      readonly remote: string
    }
  /** Cut anywhere. The bytes belong to the engine from here on and never change. */
  | {
      readonly type: 'received'
      readonly connection: ConnectionId
      readonly bytes: Uint8Array
    }
  /** Everything written so far has left the buffer; after every write, soon or late. */
  | { readonly type: 'drained'; readonly connection: ConnectionId }
  /** The last event of a connection, also after the engine closed it itself. */
  | { readonly type: 'closed'; readonly connection: ConnectionId; readonly reason: string }
  | { readonly type: 'dial-failed'; readonly dial: number; readonly reason: string }

export type TransportEffect =
  /** `tlsKey` is pinned: another key at the other end is `dial-failed`. */
  | {
      readonly type: 'dial'
      readonly dial: number
      readonly address: string
      readonly tlsKey: PublicKey
    }
  /** One system call for all chunks, which must not change before `drained` or `closed`. */
  | {
      readonly type: 'write'
      readonly connection: ConnectionId
      readonly chunks: readonly Uint8Array[]
    }
  /** What was written before still goes out; nothing more comes in. */
  | { readonly type: 'close'; readonly connection: ConnectionId }
  /** Stop reading (the other end is slowed down), and go on. */
  | { readonly type: 'pause'; readonly connection: ConnectionId }
  | { readonly type: 'resume'; readonly connection: ConnectionId }

/**
 * The engine lets no more bytes than this wait in a transport (written and not yet `drained`), so
 * that an urgent message waits behind at most so much bulk: a quarter of a millisecond at 1 GB/s.
 */
export const WRITE_HIGH_WATER_BYTES = 262_144
