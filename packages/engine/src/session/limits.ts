/**
 * Every limit of sessions, with its reason. The constants are part of the protocol: both ends
 * count with them. The table is for operators; tests make it small to reach the edges.
 *
 * @module
 */
const KIB = 1024
const MIB = 1024 * KIB
const MS = 1000
const SECOND = 1000 * MS

/** Small enough that an urgent message waits at most for one on a slow link. */
export const CHUNK_BYTES_MAX: number = 32 * KIB
/** A receiver holds a message whole; 256 entries with the largest headers fit. */
export const MESSAGE_BYTES_MAX: number = 8 * MIB
/** Requests and answers; content travels in the bulk stream. */
export const URGENT_MESSAGE_BYTES_MAX: number = MIB
/** What a receiver holds for a peer: the largest message while the next one already arrives. */
export const BULK_WINDOW_BYTES: number = 2 * MESSAGE_BYTES_MAX
export const URGENT_WINDOW_BYTES: number = 2 * URGENT_MESSAGE_BYTES_MAX
/** Chunks ahead of a missing one that a receiver keeps: many tiny ones must not cost much more. */
export const AHEAD_CHUNKS_MAX = 1024
/** An acknowledgement names so many chunks after the first missing one. */
export const BITMAP_CHUNKS = 64
/** Packets that may overtake another one. Urgent ones overtake what waits in bulk queues. */
export const REPLAY_WINDOW_PACKETS = 8192
/** A key seals so many packets, then it is replaced by its successor and forgotten. */
export const REKEY_PACKETS: number = 2 ** 22
/** Counters stay exact numbers, far below the 2^64 of the cipher. */
export const COUNTER_MAX: number = 2 ** 48 - 1
/** A responder's manifest, a chain and what is around them. */
export const HANDSHAKE_PACKET_BYTES_MAX: number = 192 * KIB
/** A chain of certificates with the manifests of its issuers. */
export const CHAIN_BYTES_MAX: number = 128 * KIB
/** Versions or suites in one list; version 1 has one of each. */
export const OFFERS_MAX = 16

export interface SessionLimits {
  /** All sessions of a node. An idle one costs about 3 KiB. */
  readonly sessionsMax: number
  /** Of one peer: what one can take from all others. */
  readonly sessionsPerPeerMax: number
  /** Answered handshakes whose initiator has not finished. */
  readonly halfOpenMax: number
  readonly halfOpenPerPeerMax: number
  /** Their answers are kept, to be sent again. */
  readonly halfOpenBytesMax: number
  /** From so many on an initiator must first show that it receives at the name it claims. */
  readonly cookieFromHalfOpen: number
  /** Bytes that a stream holds for sending before `canSend` says no; one more message may come. */
  readonly sendBufferBytes: number
  /** What all sessions of a peer hold: more than one of them can, which has 42 MiB. */
  readonly heldPerPeerBytesMax: number
  /** What all sessions hold. */
  readonly heldBytesMax: number
  /** An unfinished handshake ends. */
  readonly handshakeUs: number
  /** The first handshake packet is sent again after this, then after twice as long, and so on. */
  readonly handshakeRetryUs: number
  /** A silent peer is asked for a sign of life. */
  readonly keepaliveUs: number
  /** Between two questions without an answer. */
  readonly pingUs: number
  /** A peer of whom nothing came for so long is lost. Longer than any path takes to heal. */
  readonly peerLostUs: number
  /** Between two questions to a peer that may know nothing of the session. */
  readonly doubtPingUs: number
  /** Packets of sessions that are not known here, answered in a second: each answer is smaller. */
  readonly unknownPerSecondMax: number
  /** A peer to whom there is no way, as a router says, is tried so often: by one chunk. */
  readonly noWayUs: number
  /** A stream for which other sessions have left no room looks so often whether they have. */
  readonly roomRetryUs: number
  /** How long a closed session still tries to deliver what was sent before. */
  readonly drainUs: number
  /** How long a closed session still answers that it is closed. */
  readonly lingerUs: number
  /** An acknowledgement waits so long for something to travel with. */
  readonly ackDelayUs: number
  /** In a steady row of small messages, whose sender is held up by nothing. As QUIC, or less. */
  readonly steadyAckDelayUs: number
  /**
   * Bounds of the retransmission timeout; the first holds before anything was measured. The last
   * is more than a round trip by satellite, and little after a parting of half a minute.
   */
  readonly retransmitFirstUs: number
  readonly retransmitMinUs: number
  readonly retransmitMaxUs: number
}

export const SESSION_LIMITS: SessionLimits = {
  sessionsMax: 8192,
  sessionsPerPeerMax: 256,
  halfOpenMax: 512,
  halfOpenPerPeerMax: 16,
  halfOpenBytesMax: 8 * MIB,
  cookieFromHalfOpen: 64,
  sendBufferBytes: 8 * MIB,
  heldPerPeerBytesMax: 64 * MIB,
  heldBytesMax: 512 * MIB,
  handshakeUs: 10 * SECOND,
  handshakeRetryUs: 250 * MS,
  keepaliveUs: 10 * SECOND,
  pingUs: 4 * SECOND,
  peerLostUs: 30 * SECOND,
  doubtPingUs: 250 * MS,
  unknownPerSecondMax: 256,
  noWayUs: 250 * MS,
  roomRetryUs: 250 * MS,
  drainUs: 5 * SECOND,
  lingerUs: 5 * SECOND,
  ackDelayUs: 5 * MS,
  steadyAckDelayUs: 20 * MS,
  retransmitFirstUs: 250 * MS,
  retransmitMinUs: 50 * MS,
  retransmitMaxUs: 4 * SECOND,
}
