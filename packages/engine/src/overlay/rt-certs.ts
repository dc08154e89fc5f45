/**
 * Extends a route to the next node: the RtCert by which this node lets a neighbor carry a name
 * that this node serves or carries.
 *
 * The same certificates go up with an advertisement and down with the answer to a lookup, so
 * whoever gets a route sees every node on its way and is named at the end of it itself. Rules OV12
 * and OV13 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  certHash,
  compareBytes,
  decodeCertChain,
  decodeRtCert,
  formatHex,
  signRtCert,
} from '@longshore/capsule'
import type { RouteGroup } from './control-frame.ts'
import type { Carriage } from './evidence.ts'
import type { Machine } from './machine.ts'

const NO_BYTES: Uint8Array = new Uint8Array(0)

interface Signed {
  readonly rtCert: Uint8Array
  readonly notBeforeS: number
  readonly notAfterS: number
}

export class RtCerts {
  readonly #machine: Machine
  /** Certificates that hold for a while yet, by what they let whom carry. The oldest goes first. */
  readonly #signed = new Map<string, Signed>()

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** Whether this route can be given to `neighbor`: it may go on, and was not there already. */
  isExtensible({ path, depth, notBeforeS }: Carriage, neighbor: CapsuleName): boolean {
    // The clock was set back: what does not hold yet is soon swept out of the table.
    if (depth <= 0 || notBeforeS > this.#machine.nowS) return false
    return !path.some((name) => bytesEqual(name, neighbor))
  }

  /** The shared part of a group that lets `neighbor` carry what this carriage is about. */
  extend(carriage: Carriage, neighbor: CapsuleName): Omit<RouteGroup, 'names'> {
    const { chain, membership, path } = carriage
    const { name, identity } = this.#machine
    // Issuers of the certificates so far: everybody on the way but this node at its end.
    const before = path.slice(1).filter((issuer) => compareBytes(issuer, name) < 0).length
    return {
      ...{ chain, membership },
      rtCerts: [this.#rtCert(carriage, neighbor), ...carriage.rtCerts],
      rtManifests: carriage.rtManifests.toSpliced(before, 0, identity.signedManifest),
    }
  }

  #rtCert({ rtCerts, chain, depth: outerDepth }: Carriage, subject: CapsuleName): Uint8Array {
    const { nowS, limits, name: issuer, identity, runtime } = this.#machine
    const adcert = chain === null ? null : certHash(decodeCertChain(chain).certs[0] as Uint8Array)
    const parent = rtCerts[0] === undefined ? null : certHash(rtCerts[0])
    const key = [subject, adcert, parent].map((part) => formatHex(part ?? NO_BYTES)).join(' ')
    const known = this.#signed.get(key)
    if (known !== undefined && isUsable(known, nowS, limits.leaseS)) return known.rtCert
    // No link of a chain holds longer than the one that it relies on.
    const outer = rtCerts[0] === undefined ? undefined : decodeRtCert(rtCerts[0])
    const notAfterS = Math.min(nowS + limits.leaseS, outer?.notAfterS ?? Number.MAX_SAFE_INTEGER)
    const notBeforeS = Math.max(nowS - limits.skewS, outer?.notBeforeS ?? 0)
    const depth = outerDepth - 1
    const serial = runtime.randomBytes(16)
    const terms = { issuer, subject, parent, notBeforeS, notAfterS, serial, depth }
    const body = { ...terms, revocation: null, stalenessS: 0, adcert }
    const rtCert = signRtCert(body, identity.identity)
    this.#signed.delete(key)
    this.#signed.set(key, { rtCert, notBeforeS, notAfterS })
    if (this.#signed.size > limits.rtCertsMax) {
      this.#signed.delete(this.#signed.keys().next().value as string)
    }
    return rtCert
  }
}

/** Not one that was signed while the clock was ahead. */
function isUsable({ notBeforeS, notAfterS }: Signed, nowS: number, leaseS: number): boolean {
  return notBeforeS <= nowS && notAfterS > nowS + leaseS / 2
}
