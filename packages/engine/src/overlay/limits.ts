/**
 * Every limit of the overlay, with its reason. What a peer may cost is bounded by this table.
 *
 * @module
 */
const KIB = 1024
const MIB = 1024 * KIB
const SECOND_US = 1_000_000

/** Type and body of a frame: a payload of the largest size with what is said about it. */
export const FRAME_BYTES_MAX: number = MIB

export interface OverlayLimits {
  /** Connections without a hello yet; each holds a buffer of `helloBytesMax`. */
  readonly strangersMax: number
  /** A manifest and the longest certificate chain, before anything about the peer is known. */
  readonly helloBytesMax: number
  /** From connection to hello. A peer that says nothing costs a place among the strangers. */
  readonly helloUs: number
  /** Links that are up. Each may hold up to `queueBytesMax` and the labels and routes below. */
  readonly linksMax: number
  /** Links to one principal: one for each side's dial, and one that has not noticed its end. */
  readonly linksPerPrincipalMax: number
  /** How often a link is measured. */
  readonly pingUs: number
  /** Silence after a ping until a link counts as dead: three pings lost. */
  readonly silenceUs: number
  /** Cost of a link before its first measurement: worse than most, better than none. */
  readonly unmeasuredUs: number
  /** Until the next address of a ticket is dialled beside one that has not answered. */
  readonly nextAddressUs: number
  readonly redialUsMin: number
  readonly redialUsMax: number

  /** Frames waiting for one link, in bytes. More only adds delay; sessions send again. */
  readonly queueBytesMax: number
  /** The same for frames of the overlay itself, which are never dropped: the link ends instead. */
  readonly controlBytesMax: number

  /** Pairs of names with a label, per link and direction: about 200 bytes each. */
  readonly labelsMax: number
  /** A label unused for one to two of these is retired. */
  readonly labelIdleUs: number

  /**
   * Names that one peer may advertise over one link: every capsule that a mirror may hold, and
   * some more. About 500 bytes each beside the evidence.
   */
  readonly namesPerLinkMax: number
  /** Manifests and certificates of these names, which are kept to answer lookups with. */
  readonly evidenceBytesPerLinkMax: number
  /** RtCerts that are kept to be given out again: those of names that are asked for often. */
  readonly rtCertsMax: number
  /** Names of one advertisement: each costs up to a millisecond of verification. */
  readonly namesPerAdvertisementMax: number
  /**
   * Names that are verified at once for one link, and then in a second: a flood of advertisements
   * takes a fraction of one processor. Who sends more is read from more slowly.
   */
  readonly admissionBurst: number
  readonly admissionsPerSecond: number
  /** Candidates kept for one name: enough to fail over, few enough to compare for each choice. */
  readonly candidatesMax: number
  /** Names in the route table that were learned by asking. The oldest goes first. */
  readonly learnedMax: number
  /** Their manifests and certificates, by the same rule. */
  readonly learnedBytesMax: number
  /** How long a learned route is used without asking again. */
  readonly learnedUs: number

  /** Names asked for at the same time. */
  readonly lookupsMax: number
  /** Of them, those for which one neighbor waits. */
  readonly lookupsPerLinkMax: number
  readonly lookupUs: number
  /** Answers waiting for one name: links, requests, subscriptions. */
  readonly waitersMax: number
  /** Frames that wait for the answer to one lookup. */
  readonly parkedBytesMax: number
  /** Names known to be nowhere, and for how long: a retry costs a lookup each. */
  readonly absentMax: number
  readonly absentUs: number
  /** Entries in one answer. */
  readonly entriesMax: number
  /** Routers that a lookup may climb. */
  readonly lookupHopsMax: number

  /** Routers that a frame may pass. */
  readonly hopsMax: number
  /** Refusals sent back over one link in a second: a flood of frames to nowhere stays one-way. */
  readonly unreachablePerSecondMax: number

  /** Names that one peer may subscribe to. */
  readonly subscriptionsPerLinkMax: number
  readonly subscriptionUs: number
  /** Traces under way in one router. */
  readonly tracesMax: number
  readonly traceUs: number

  /** Life of the certificates that let a router carry a name; renewed at half of it. */
  readonly leaseS: number
  /** Names that are advertised again together: what a router verifies in a second. */
  readonly renewalsAtOnce: number
  /** How far clocks may disagree. */
  readonly skewS: number
  /** From a refusal until the name is advertised again. */
  readonly advertiseAgainUs: number
}

export const OVERLAY_LIMITS: OverlayLimits = Object.freeze({
  strangersMax: 256,
  helloBytesMax: 256 * KIB,
  helloUs: 10 * SECOND_US,
  linksMax: 16_384,
  linksPerPrincipalMax: 4,
  pingUs: 5 * SECOND_US,
  silenceUs: 15 * SECOND_US,
  unmeasuredUs: SECOND_US / 10,
  nextAddressUs: SECOND_US / 4,
  redialUsMin: SECOND_US / 4,
  redialUsMax: 60 * SECOND_US,

  queueBytesMax: 8 * MIB,
  controlBytesMax: 4 * MIB,

  labelsMax: 4096,
  labelIdleUs: 30 * SECOND_US,

  namesPerLinkMax: 131_072,
  evidenceBytesPerLinkMax: 256 * MIB,
  rtCertsMax: 4096,
  namesPerAdvertisementMax: 128,
  admissionBurst: 4096,
  admissionsPerSecond: 1024,
  candidatesMax: 16,
  learnedMax: 65_536,
  learnedBytesMax: 256 * MIB,
  learnedUs: 60 * SECOND_US,

  lookupsMax: 1024,
  lookupsPerLinkMax: 256,
  lookupUs: 5 * SECOND_US,
  waitersMax: 64,
  parkedBytesMax: 128 * KIB,
  absentMax: 4096,
  absentUs: 2 * SECOND_US,
  entriesMax: 4,
  lookupHopsMax: 8,

  hopsMax: 32,
  unreachablePerSecondMax: 100,

  subscriptionsPerLinkMax: 16_384,
  subscriptionUs: 120 * SECOND_US,
  tracesMax: 256,
  traceUs: 10 * SECOND_US,

  leaseS: 3600,
  renewalsAtOnce: 1024,
  skewS: 300,
  advertiseAgainUs: 300 * SECOND_US,
})
