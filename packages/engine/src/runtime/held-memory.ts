/**
 * What a node holds for its peers, counted together: by session, of each peer and of all.
 *
 * Each session is promised as much as if it were alone, since few use it at once. So what is
 * really held is counted, and beyond a bound the session that holds most gives way. What can wait
 * does so before that: it may hold as much as is still free, so that those that do not drain never
 * take all.
 * Rules SN29 of docs/spec/session.md and MI33 of docs/spec/mirror.md.
 *
 * Invariant: the bytes of all are the sum over peers, those of a peer the sum over its sessions.
 *
 * @module
 */
/** What can wait leaves the rest to what cannot. */
const WAITING_PART = 3 / 4

export interface HeldLimits {
  readonly heldPerPeerBytesMax: number
  readonly heldBytesMax: number
}

export interface Holder {
  /** What it holds now. */
  readonly heldBytes: number
}

export class PeerMemory<THolder extends Holder> {
  readonly #all: HeldMemory<THolder>
  readonly #counted = new Map<THolder, number>()
  #heldBytes = 0

  constructor(all: HeldMemory<THolder>) {
    this.#all = all
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** A holder has changed. */
  count(holder: THolder): void {
    const { heldBytes } = holder
    const addedBytes = heldBytes - (this.#counted.get(holder) ?? 0)
    if (addedBytes === 0) return
    if (heldBytes === 0) this.#counted.delete(holder)
    else this.#counted.set(holder, heldBytes)
    this.#heldBytes += addedBytes
    this.#all.added(this, addedBytes)
  }

  /** How much something of this peer that can wait may hold; nothing if that is not positive. */
  get roomBytes(): number {
    const { heldPerPeerBytesMax } = this.#all.limits
    return Math.min(heldPerPeerBytesMax * WAITING_PART - this.#heldBytes, this.#all.roomBytes)
  }

  /** The holder of most. */
  get heaviest(): THolder | undefined {
    let heaviest: THolder | undefined
    let heaviestBytes = 0
    for (const [holder, bytes] of this.#counted) {
      if (bytes > heaviestBytes) [heaviest, heaviestBytes] = [holder, bytes]
    }
    return heaviest
  }
}

export class HeldMemory<THolder extends Holder> {
  readonly limits: HeldLimits
  /** Those that hold something. */
  readonly #peers = new Set<PeerMemory<THolder>>()
  #heldBytes = 0

  constructor(limits: HeldLimits) {
    this.limits = limits
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get roomBytes(): number {
    return this.limits.heldBytesMax * WAITING_PART - this.#heldBytes
  }

  added(peer: PeerMemory<THolder>, bytes: number): void {
    this.#heldBytes += bytes
    if (peer.heldBytes === 0) this.#peers.delete(peer)
    else this.#peers.add(peer)
  }

  /** After `peer` was counted: who has to give way, if too much is held. */
  surplus(peer: PeerMemory<THolder>): THolder | undefined {
    if (peer.heldBytes > this.limits.heldPerPeerBytesMax) return peer.heaviest
    if (this.#heldBytes <= this.limits.heldBytesMax) return undefined
    let heaviest = peer
    for (const other of this.#peers) if (other.heldBytes > heaviest.heldBytes) heaviest = other
    return heaviest.heaviest
  }
}
