/**
 * Certificates of every kind, chains as they travel, and the verifier of AdCert chains.
 *
 * @module
 */
import {
  type AdCertBody,
  asCapsuleName,
  bytesEqual,
  type CertTerms,
  certHash,
  decodeAdCert,
  decodeCertChain,
  decodeErasureCert,
  decodeMemberCert,
  decodeRtCert,
  decodeWriterCert,
  encodeCertChain,
  MAIN_BRANCH,
  NEVER_S,
  SIGNATURE_BYTES,
  type Signer,
  sha256,
  signAdCert,
  signErasureCert,
  signManifest,
  signMemberCert,
  signRtCert,
  signWriterCert,
  verifyAdChain,
} from '@longshore/capsule'
import type { FuzzTarget } from './fuzz-target.ts'
import { capsule, manifests, owner, writer } from './world.ts'

const NOW_S = 1_790_000_000

const person = signManifest(manifests.find(({ type }) => type === 'person') ?? fail(), owner)
const node = asCapsuleName(new Uint8Array(32).fill(21))
const terms: CertTerms = {
  issuer: person.name,
  subject: node,
  parent: null,
  notBeforeS: NOW_S - 60,
  notAfterS: NOW_S + 60,
  serial: new Uint8Array(16).fill(3),
  revocation: null,
  stalenessS: 0,
  depth: 0,
}
const permanent: CertTerms = { ...terms, subject: capsule.name, notAfterS: NEVER_S }
const ad: AdCertBody = { ...terms, capsules: 'all', rights: ['serve'], domains: 'any' }
const end = { branch: MAIN_BRANCH, epoch: 1, size: 7, root: sha256(new Uint8Array(1)) }
const leaf = signAdCert(ad, owner)
const chain = { certs: [leaf], manifests: [person.signed] }

function fail(): never {
  throw new Error('the world has a person')
}

/** The signature is not verified by a decoder; all before it has one spelling. */
function decoder<TBody>(
  name: string,
  samples: readonly TBody[],
  sign: (body: TBody, signer: Signer) => Uint8Array,
  decode: (signed: Uint8Array) => TBody,
): FuzzTarget {
  return {
    name,
    samples: () => samples.map((body) => sign(body, owner)),
    roundTrip: (input) => {
      const again = sign(decode(input), owner)
      again.set(input.subarray(-SIGNATURE_BYTES), again.length - SIGNATURE_BYTES)
      return again
    },
  }
}

export const certTargets: readonly FuzzTarget[] = [
  decoder(
    'adcert',
    [ad, { ...ad, capsules: [capsule.name], domains: [node], depth: 7 }],
    signAdCert,
    decodeAdCert,
  ),
  decoder(
    'membercert',
    [{ ...terms, rights: ['lookup', 'mirror'] }],
    signMemberCert,
    decodeMemberCert,
  ),
  decoder('rtcert', [{ ...terms, adcert: certHash(node) }], signRtCert, decodeRtCert),
  decoder(
    'writercert',
    [{ ...permanent, end, writerKey: writer.key }],
    signWriterCert,
    decodeWriterCert,
  ),
  decoder(
    'erasurecert',
    [{ ...permanent, branch: MAIN_BRANCH, ranges: [{ start: 0, end: 3 }], reason: 'wish' }],
    signErasureCert,
    decodeErasureCert,
  ),
  {
    name: 'cert-chain',
    samples: () => [encodeCertChain(chain)],
    roundTrip: (input) => encodeCertChain(decodeCertChain(input)),
  },
  {
    name: 'ad-chain',
    samples: () => [encodeCertChain(chain)],
    roundTrip: (input) => {
      const expected = { capsule, subject: node, right: 'serve', atS: NOW_S } as const
      const { root, leafHash } = verifyAdChain(decodeCertChain(input), expected)
      const isTrue = bytesEqual(root, person.name) && bytesEqual(leafHash, certHash(leaf))
      if (!isTrue) throw new Error('accepted a lie: another chain')
      return encodeCertChain(chain)
    },
  },
]
