/** Signed bodies that are no certificate of their kind. */
import { concat, derived, filled } from './bytes.mjs'
import { encode, tagItem } from './cbor.mjs'
import {
  byName,
  CAPSULE,
  DOMAIN,
  EXTRAS,
  NEVER_S,
  NODE,
  NOW_S,
  OTHER,
  PERSON,
  ROUTER,
  signCert,
  terms,
} from './certs.mjs'
import { erasure, writerChange } from './fact-certs.mjs'
import { key } from './keys.mjs'
import { coseSign1, keyEntry } from './manifests.mjs'

const names = (count) =>
  Array.from({ length: count }, (_, at) => derived(`name ${at}`, 32)).sort(byName)

function without(map, name) {
  const { [name]: _, ...rest } = map
  return rest
}

/** [id, comment, body] of an AdCert. */
function adBodies() {
  const good = { ...terms(PERSON, NODE), ...EXTRAS.adcert }
  const cases = [
    ['unknown-key', 'a key that no certificate has', { ...good, x: 1 }],
    ['other-kind', 'a key of another kind', { ...good, adcert: null }],
    ['ends-before', 'notAfter before notBefore', { ...good, notAfter: NOW_S - 3601 }],
    ['staleness-alone', 'staleness without a revocation capsule', { ...good, staleness: 60 }],
    ['capsules-257', '257 names', { ...good, capsules: names(257) }],
    ['domains-65', '65 names', { ...good, domains: names(65) }],
    ['capsules-unsorted', 'names not sorted', { ...good, capsules: names(2).toReversed() }],
    ['capsules-twice', 'a name twice', { ...good, capsules: [CAPSULE.name, CAPSULE.name] }],
    ['rights-order', 'rights not sorted', { ...good, rights: ['serve', 'advertise'] }],
    ['rights-twice', 'a right twice', { ...good, rights: ['serve', 'serve'] }],
  ]
  for (const name of Object.keys(good)) {
    cases.push([`missing-${name}`, 'every key is always present', without(good, name)])
  }
  const notName = [filled(31, 1), filled(33, 1), 'name', 1, []]
  for (const [name, values] of Object.entries({
    v: [0, 2, '1', null],
    depth: [8, '0', null, filled(1, 0)],
    issuer: [...notName, null],
    subject: [...notName, null],
    parent: notName,
    revocation: notName,
    serial: [filled(15, 1), filled(17, 1), '0123456789abcdef', null],
    notAfter: ['now', null],
    notBefore: ['now', null],
    staleness: ['0', null],
    rights: [[], ['write'], ['Serve'], ['serve', 'write'], 'serve', null, [1]],
    domains: ['all', 'Any', null, [filled(31, 1)], {}],
    capsules: ['any', 'All', null, [filled(31, 1)], {}],
  })) {
    for (const [at, value] of values.entries()) {
      const comment = `${name} of another type, length or value`
      cases.push([`${name}-${at}`, comment, { ...good, [name]: value }])
    }
  }
  return cases
}

/** [id, comment, kind, body] of the other kinds. */
function otherBodies() {
  const member = { ...terms(DOMAIN, NODE), ...EXTRAS.membercert }
  const rt = { ...terms(NODE, ROUTER), ...EXTRAS.rtcert }
  const writer = (changes) => writerChange('second writer', changes)
  const newKey = key('second writer').publicKey
  const revocable = { revocation: OTHER.name, staleness: 60 }
  return [
    ['member-right', 'a right of another kind', 'membercert', { ...member, rights: ['serve'] }],
    ['member-no-rights', 'no right', 'membercert', { ...member, rights: [] }],
    ['rt-day', '24 hours and a second', 'rtcert', { ...rt, notAfter: rt.notBefore + 86401 }],
    ['rt-adcert', 'a hash of 31 bytes', 'rtcert', { ...rt, adcert: filled(31, 1) }],
    ['erasure-ends', 'an erasure that ends', 'erasurecert', erasure({ notAfter: NOW_S })],
    ['erasure-revocable', 'can be revoked', 'erasurecert', erasure(revocable)],
    ['erasure-depth', 'lets others erase', 'erasurecert', erasure({ depth: 1 })],
    ['erasure-parent', 'relies on another', 'erasurecert', erasure({ parent: CAPSULE.name })],
    ['erasure-none', 'no range', 'erasurecert', erasure({ erase: [[], 'none'] })],
    [
      'erasure-touching',
      'ranges touch',
      'erasurecert',
      erasure({
        erase: [
          [
            [0, 1],
            [1, 2],
          ],
          '',
        ],
      }),
    ],
    ['erasure-branch', 'no branch id', 'erasurecert', erasure({ branch: filled(15, 1) })],
    ['writer-ends', 'a change that ends', 'writercert', writer({ notAfter: NEVER_S - 1 })],
    ['writer-epoch-0', 'epoch 0', 'writercert', writer({ epoch: 0 })],
    ['writer-epoch-2', 'no parent', 'writercert', writer({ epoch: 2 })],
    ['writer-parent', 'a parent of the first', 'writercert', writer({ parent: CAPSULE.name })],
    ['writer-empty', 'no entry and a root', 'writercert', writer({ size: 0 })],
    ['writer-no-key', 'no key', 'writercert', writer({ keys: [] })],
    ['writer-use', 'another use', 'writercert', writer({ keys: [keyEntry('owner', newKey)] })],
    [
      'writer-two-keys',
      'two keys',
      'writercert',
      writer({ keys: [keyEntry('writer', newKey), keyEntry('writer', newKey)] }),
    ],
  ]
}

/** [id, comment, kind, signed] */
export function refusedCerts() {
  const signer = PERSON.issuing
  const good = encode({ ...terms(PERSON, NODE), ...EXTRAS.adcert })
  const signed = signCert('adcert', good, signer)
  return [
    ...adBodies().map(([id, comment, body]) => {
      return [`adcert-${id}`, comment, 'adcert', signCert('adcert', body, signer)]
    }),
    ...otherBodies().map(([id, comment, kind, body]) => {
      return [`${kind}-${id}`, comment, kind, signCert(kind, body, signer)]
    }),
    [
      'cert-manifest-type',
      'the content type of a manifest',
      'adcert',
      coseSign1({ body: good, signer }),
    ],
    [
      'cert-member-type',
      'the content type of another kind',
      'adcert',
      signCert('membercert', good, signer),
    ],
    ['cert-as-member', 'read as another kind', 'membercert', signed],
    ['cert-trailing', 'a byte behind', 'adcert', concat(signed, filled(1, 0))],
    [
      'cert-body-trailing',
      'a byte in it',
      'adcert',
      signCert('adcert', concat(good, filled(1, 0)), signer),
    ],
    ['cert-tag', 'another tag', 'adcert', tagItem(17, signed.slice(1))],
    ['cert-empty', 'nothing', 'adcert', new Uint8Array(0)],
    ['cert-long', 'above 16 KiB', 'adcert', filled(16385, 0xd2)],
    ['cert-body', 'the bare body', 'adcert', good],
  ]
}
