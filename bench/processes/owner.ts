/**
 * Who owns the capsules of a benchmark: public ones, which mirrors may serve for a day.
 *
 * @module
 */
import {
  type CapsuleName,
  type CertChain,
  createSigner,
  type Manifest,
  type SignedManifest,
  type Signer,
  signAdCert,
  signManifest,
} from '@longshore/capsule'
import type { Runtime } from '@longshore/engine'

const HOUR_S = 3600
const DAY_S = 24 * HOUR_S

export class Owner {
  readonly #runtime: Runtime
  readonly #signer: Signer
  readonly #person: SignedManifest

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#signer = createSigner(runtime.randomBytes(32))
    this.#person = this.#sign('person', [])
  }

  createCapsule({ publicKey }: Signer): SignedManifest {
    return this.#sign('capsule', [{ alg: 'ed25519', key: publicKey, use: 'writer' }])
  }

  /** Lets a mirror serve all capsules of this owner. */
  grant(mirror: CapsuleName): CertChain {
    const { name: issuer, signed } = this.#person
    const nowS = Math.floor(this.#runtime.nowUs() / 1_000_000)
    const cert = signAdCert(
      {
        ...{ issuer, subject: mirror, parent: null, serial: this.#runtime.randomBytes(16) },
        ...{ notBeforeS: nowS - HOUR_S, notAfterS: nowS + DAY_S, depth: 0 },
        ...{ revocation: null, stalenessS: 0, capsules: 'all', domains: 'any' },
        rights: ['advertise', 'serve'],
      },
      this.#signer,
    )
    return { certs: [cert], manifests: [signed] }
  }

  #sign(type: 'capsule' | 'person', others: Manifest['keys']): SignedManifest {
    const owner = { alg: 'ed25519', key: this.#signer.publicKey, use: 'owner' } as const
    const manifest: Manifest = {
      ...{ type, version: 1, mode: 'strict', timeUs: 0, blind: false, authority: null },
      keys: [owner, ...others],
      nonce: this.#runtime.randomBytes(16),
      policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' },
      ...{ labels: {}, crit: [], ext: new Map() },
    }
    return signManifest(manifest, this.#signer)
  }
}
