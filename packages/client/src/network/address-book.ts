/**
 * What a home knows about others, kept in its notes: whom to dial, who holds copies of its
 * capsules and by which certificates, what they have stated, and how far it has read.
 *
 *     net/tickets                         tickets as text, one a line
 *     net/mirrors/CAPSULE                 names of its mirrors, 32 bytes each
 *     net/mirror/CAPSULE/MIRROR           [AdCert chain, signed manifest or null, [chain, …]]
 *     net/grant/CAPSULE/NODE              AdCert chain that was given out
 *     net/receipt/CAPSULE/MIRROR          [compact head, time in seconds, cosignature]
 *     net/stated/CAPSULE                  [compact head, [[mirror, time, cosignature], …]]
 *     net/head/CAPSULE                    compact head: the last one that was read
 *     net/memberships                     [chain, …]: lets this home's person read for a domain
 *
 * Names are in base32, so that keys are short enough. Rules NW1-NW4 of docs/spec/network.md;
 * decision F23.
 *
 * @module
 */
import {
  asCapsuleName,
  bytesEqual,
  type CapsuleName,
  type CborValue,
  compareBytes,
  concatBytes,
  decodeCbor,
  decodeHead,
  decodeUtf8,
  encodeCbor,
  encodeHead,
  encodeUtf8,
  formatBase32,
  formatTicket,
  type Head,
  isLongshoreError,
  parseTicket,
  type Ticket,
  UsageError,
} from '@longshore/capsule'
import type { StoreReader } from '@longshore/engine'
import { keep, type Remember, readKept } from './kept-notes.ts'
import type { StatedHead } from './stated-heads.ts'

/** A node that is to hold a capsule. */
export interface KnownMirror {
  readonly name: CapsuleName
  /** Lets it serve the capsule; encoded. */
  readonly chain: Uint8Array
  /** Of the node; undefined until it was met. */
  readonly signedManifest: Uint8Array | undefined
  /** In which domains its copies are, encoded; as far as it has said. */
  readonly memberships: readonly Uint8Array[]
}

/** A mirror's statement that it holds everything under a head durably. */
export interface KeptReceipt {
  readonly head: Head
  readonly timeS: number
  readonly signature: Uint8Array
}

const NAME_BYTES = 32
/** More neighbors than anybody needs: each is dialled. */
const TICKETS_MAX = 64
/** As many as a policy can ask for. */
const MIRRORS_MAX = 64
const DEPTH_MAX = 3

export class AddressBook {
  readonly #reader: StoreReader
  readonly #remember: Remember

  constructor(reader: StoreReader, remember: Remember) {
    this.#reader = reader
    this.#remember = remember
  }

  tickets(): Ticket[] {
    const text = readKept(this.#reader, 'net/tickets')
    if (text === undefined) return []
    return (decodeUtf8(text) ?? '').split('\n').flatMap((line) => readTicket(line) ?? [])
  }

  /** A newer ticket of the same node replaces the older one. */
  async addTicket(ticket: Ticket): Promise<void> {
    const others = this.tickets().filter(({ name }) => !bytesEqual(name, ticket.name))
    if (others.length >= TICKETS_MAX) {
      throw new UsageError('USAGE', `a home connects to at most ${TICKETS_MAX} nodes`)
    }
    const text = [...others, ticket].map(formatTicket).join('\n')
    await keep(this.#remember, 'net/tickets', encodeUtf8(text))
  }

  /** Ascending by name. */
  mirrors(capsule: CapsuleName): KnownMirror[] {
    return this.#mirrorNames(capsule).flatMap((name) => this.mirror(capsule, name) ?? [])
  }

  mirror(capsule: CapsuleName, name: CapsuleName): KnownMirror | undefined {
    const bytes = readKept(this.#reader, placeKey('mirror', capsule, name))
    if (bytes === undefined) return undefined
    const [chain, manifest, memberships] = decodeCbor(bytes, DEPTH_MAX) as CborValue[]
    return {
      name,
      chain: chain as Uint8Array,
      signedManifest: (manifest as Uint8Array | null) ?? undefined,
      memberships: memberships as Uint8Array[],
    }
  }

  /** Keeps the mirror, or what is new about it. */
  async keepMirror(capsule: CapsuleName, mirror: KnownMirror): Promise<void> {
    const { name, chain, signedManifest, memberships } = mirror
    const names = this.#mirrorNames(capsule).filter((known) => !bytesEqual(known, name))
    if (names.length >= MIRRORS_MAX) {
      throw new UsageError('USAGE', `a capsule has at most ${MIRRORS_MAX} mirrors`)
    }
    const value = encodeCbor([chain, signedManifest ?? null, memberships], DEPTH_MAX)
    await keep(this.#remember, placeKey('mirror', capsule, name), value)
    await this.#keepNames(capsule, [...names, name])
  }

  /** The AdCert chain, encoded, that this home has given to the node last. */
  grant(capsule: CapsuleName, node: CapsuleName): Uint8Array | undefined {
    return readKept(this.#reader, placeKey('grant', capsule, node))
  }

  keepGrant(capsule: CapsuleName, node: CapsuleName, chain: Uint8Array): Promise<void> {
    return keep(this.#remember, placeKey('grant', capsule, node), chain)
  }

  /** False if it was not known. */
  async forgetMirror(capsule: CapsuleName, name: CapsuleName): Promise<boolean> {
    const names = this.#mirrorNames(capsule)
    const rest = names.filter((known) => !bytesEqual(known, name))
    if (rest.length === names.length) return false
    await this.#keepNames(capsule, rest)
    await keep(this.#remember, placeKey('mirror', capsule, name), undefined)
    await keep(this.#remember, placeKey('receipt', capsule, name), undefined)
    return true
  }

  receipt(capsule: CapsuleName, mirror: CapsuleName): KeptReceipt | undefined {
    const bytes = readKept(this.#reader, placeKey('receipt', capsule, mirror))
    if (bytes === undefined) return undefined
    const [head, timeS, signature] = decodeCbor(bytes, DEPTH_MAX) as CborValue[]
    return {
      head: decodeHead(head as Uint8Array),
      timeS: timeS as number,
      signature: signature as Uint8Array,
    }
  }

  async keepReceipt(
    capsule: CapsuleName,
    mirror: CapsuleName,
    { head, timeS, signature }: KeptReceipt,
  ): Promise<void> {
    const value = encodeCbor([encodeHead(head), timeS, signature], DEPTH_MAX)
    await keep(this.#remember, placeKey('receipt', capsule, mirror), value)
  }

  /** A head that several mirrors have stated: in one note, so that it is read as it was kept. */
  stated(capsule: CapsuleName): StatedHead | undefined {
    const bytes = readKept(this.#reader, `net/stated/${formatBase32(capsule)}`)
    if (bytes === undefined) return undefined
    const [head, statements] = decodeCbor(bytes, DEPTH_MAX) as [Uint8Array, CborValue[][]]
    return {
      head: decodeHead(head),
      statements: statements.map(([mirror, timeS, signature]) => ({
        mirror: asCapsuleName(mirror as Uint8Array),
        timeS: timeS as number,
        signature: signature as Uint8Array,
      })),
    }
  }

  async keepStated(capsule: CapsuleName, { head, statements }: StatedHead): Promise<void> {
    const listed = statements.map(({ mirror, timeS, signature }) => [mirror, timeS, signature])
    const value = encodeCbor([encodeHead(head), listed], DEPTH_MAX)
    await keep(this.#remember, `net/stated/${formatBase32(capsule)}`, value)
  }

  /** The last head of a capsule elsewhere that was read here. */
  head(capsule: CapsuleName): Head | undefined {
    const bytes = readKept(this.#reader, `net/head/${formatBase32(capsule)}`)
    return bytes === undefined ? undefined : decodeHead(bytes)
  }

  async keepHead(capsule: CapsuleName, head: Head): Promise<void> {
    await keep(this.#remember, `net/head/${formatBase32(capsule)}`, encodeHead(head))
  }

  /** Encoded chains by which this home's person may read for a domain. */
  memberships(): readonly Uint8Array[] {
    const bytes = readKept(this.#reader, 'net/memberships')
    return bytes === undefined ? [] : (decodeCbor(bytes, DEPTH_MAX) as Uint8Array[])
  }

  async keepMembership(chain: Uint8Array): Promise<void> {
    const others = this.memberships().filter((known) => !bytesEqual(known, chain))
    await keep(this.#remember, 'net/memberships', encodeCbor([...others, chain], DEPTH_MAX))
  }

  #mirrorNames(capsule: CapsuleName): CapsuleName[] {
    const bytes = readKept(this.#reader, `net/mirrors/${formatBase32(capsule)}`)
    const names: CapsuleName[] = []
    for (let at = 0; at < (bytes?.length ?? 0); at += NAME_BYTES) {
      names.push(asCapsuleName((bytes as Uint8Array).slice(at, at + NAME_BYTES)))
    }
    return names
  }

  #keepNames(capsule: CapsuleName, names: readonly CapsuleName[]): Promise<void> {
    const sorted = names.toSorted(compareBytes)
    return keep(this.#remember, `net/mirrors/${formatBase32(capsule)}`, concatBytes(...sorted))
  }
}

function placeKey(
  kind: 'grant' | 'mirror' | 'receipt',
  capsule: CapsuleName,
  mirror: CapsuleName,
): string {
  return `net/${kind}/${formatBase32(capsule)}/${formatBase32(mirror)}`
}

function readTicket(text: string): Ticket | undefined {
  try {
    return parseTicket(text)
  } catch (error) {
    // Of a later version: of no use here, and no reason to use none of the others.
    if (isLongshoreError(error)) return undefined
    throw error
  }
}
