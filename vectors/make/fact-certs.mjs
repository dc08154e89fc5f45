/** Statements that stand alone: erasures, changes of the writer, and advertisements. */
import { derived, filled, flipBit, sha256 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import {
  byName,
  CAPSULE,
  NEVER_S,
  NODE,
  NOW_S,
  OTHER,
  PERSON,
  ROUTER,
  STRANGER,
  signCert,
  terms,
} from './certs.mjs'
import { BRANCH, MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { keyEntry, WRITER } from './manifests.mjs'

const OWNER = PERSON.issuing

function fact(changes = {}) {
  return { ...terms(PERSON, CAPSULE), notAfter: NEVER_S, ...changes }
}

export function erasure(changes = {}) {
  return fact({
    erase: [
      [
        [0, 3],
        [5, 6],
      ],
      'wish of the person',
    ],
    branch: MAIN,
    ...changes,
  })
}

function addErasures(file) {
  const sign = (body, signer = OWNER) => signCert('erasurecert', body, signer)
  for (const [id, comment, body] of [
    ['erasurecert', 'two ranges of the main branch', erasure()],
    ['erasurecert-branch', 'of another branch', erasure({ branch: BRANCH })],
  ]) {
    file.valid(id, comment, { kind: 'erasurecert', signed: sign(body), body })
  }
  const kind = 'erasure'
  const capsule = CAPSULE.signed
  file.valid('erasure', "the owner's order", { kind, capsule, signed: sign(erasure()) })
  for (const [id, comment, code, signed] of [
    ['capsule', 'for another capsule', 'CERT_SCOPE', sign(erasure({ subject: OTHER.name }))],
    ['stranger', 'of a stranger', 'BAD_SIGNATURE', sign(erasure(), STRANGER.issuing)],
    ['writer', "by the writer's key", 'BAD_SIGNATURE', sign(erasure(), WRITER)],
  ]) {
    file.invalid(`bad-erasure-${id}`, comment, code, { kind, capsule, signed })
  }
}

/** A change of the writer; `next` is the label of the new key. */
export function writerChange(next, changes = {}) {
  return fact({
    keys: [keyEntry('writer', key(next).publicKey)],
    root: derived('root', 32),
    size: 7,
    epoch: 1,
    branch: MAIN,
    ...changes,
  })
}

export function signWriterChange(next, changes = {}, signer = OWNER) {
  return signCert('writercert', writerChange(next, changes), signer)
}

function addWriters(file) {
  const sign = (body, signer = OWNER) => signCert('writercert', body, signer)
  const first = writerChange('second writer')
  const signedFirst = sign(first)
  const later = { epoch: 2, size: 9, parent: sha256(signedFirst) }
  const second = (changes = {}) => sign(writerChange('third writer', { ...later, ...changes }))
  const none = { size: 0, root: sha256() }
  const kind = 'writercert'
  for (const [id, comment, body] of [
    ['writercert', 'the first change', first],
    ['writercert-empty', 'before any entry', writerChange('second writer', none)],
  ]) {
    file.valid(id, comment, { kind, signed: sign(body), body })
  }
  const shared = { kind: 'writer-chain', capsule: CAPSULE.signed, branch: MAIN }
  for (const [id, comment, certs, label, more] of [
    ['none', 'the key in the manifest', [], 'writer', { epoch: 0, sizeMin: 1 }],
    ['one', 'one change', [signedFirst], 'second writer', { epoch: 1, sizeMin: 8 }],
    ['two', 'two', [signedFirst, second()], 'third writer', { epoch: 2, sizeMin: 10 }],
  ]) {
    const writerKey = key(label).publicKey
    file.valid(`writer-${id}`, comment, { ...shared, certs, writerKey, ...more })
  }
  const onBranch = sign(writerChange('second writer', { branch: BRANCH }))
  for (const [id, comment, code, certs] of [
    ['missing', 'the first change missing', 'CERT_CHAIN', [second()]],
    ['order', 'the second first', 'CERT_CHAIN', [second(), signedFirst]],
    ['twice', 'the first twice', 'CERT_CHAIN', [signedFirst, signedFirst]],
    ['parent', 'another parent', 'CERT_CHAIN', [signedFirst, second({ parent: sha256() })]],
    ['gap', 'an epoch left out', 'CERT_CHAIN', [signedFirst, second({ epoch: 3 })]],
    ['back', 'a size that goes back', 'CERT_CHAIN', [signedFirst, second({ size: 6 })]],
    ['key', 'the old key again', 'CERT_CHAIN', [sign(writerChange('writer'))]],
    ['owner', "the owner's key", 'CERT_CHAIN', [sign(writerChange('owner'))]],
    ['branch', 'on another branch', 'CERT_SCOPE', [onBranch]],
    ['capsule', 'of another capsule', 'CERT_SCOPE', [sign({ ...first, subject: OTHER.name })]],
    ['self', 'by the writer itself', 'BAD_SIGNATURE', [sign(first, WRITER)]],
  ]) {
    file.invalid(`bad-writer-${id}`, comment, code, { ...shared, certs })
  }
}

function addAdvertisements(file) {
  const names = [CAPSULE.name, OTHER.name, NODE.name]
  const digest = sha256(...names.toSorted(byName))
  const [nonce, exporter] = [derived('nonce', 32), derived('exporter', 32)]
  const body = {
    v: 1,
    names: digest,
    nonce,
    router: ROUTER.name,
    expires: NOW_S,
    exporter,
    advertiser: NODE.name,
  }
  const sign = (changes = {}, signer = NODE.issuing) =>
    signCert('advertisement', { ...body, ...changes }, signer)
  const shared = {
    kind: 'advertisement',
    advertiser: NODE.signed,
    router: ROUTER.name,
    names,
    nonce,
    exporter,
    atS: NOW_S,
  }
  file.valid('advertisement', 'in its last second', { ...shared, signed: sign() })
  const [scope, invalid] = ['CERT_SCOPE', 'CERT_INVALID']
  const { v: _, ...withoutVersion } = body
  for (const [id, comment, code, signed] of [
    ['advertiser', 'of another node', scope, sign({ advertiser: ROUTER.name })],
    ['router', 'for another router', scope, sign({ router: NODE.name })],
    ['exporter', 'on another connection', scope, sign({ exporter: flipBit(exporter, 31) })],
    ['nonce', 'for another challenge', scope, sign({ nonce: flipBit(nonce, 0) })],
    ['names', 'about other names', scope, sign({ names: sha256(...names) })],
    ['late', 'a second too late', 'CERT_EXPIRED', sign({ expires: NOW_S - 1 })],
    ['key', 'by the owner key of the node', 'BAD_SIGNATURE', sign({}, NODE.owner)],
    ['short-nonce', 'a nonce of 16 bytes', invalid, sign({ nonce: filled(16, 1) })],
    ['unknown', 'a key more', invalid, sign({ x: 1 })],
    ['no-v', 'no version', invalid, signCert('advertisement', withoutVersion, NODE.issuing)],
    ['kind', 'an AdCert', invalid, signCert('adcert', body, NODE.issuing)],
    ['bytes', 'not a map', invalid, signCert('advertisement', encode([body]), NODE.issuing)],
  ]) {
    file.invalid(`bad-advertisement-${id}`, comment, code, { ...shared, signed })
  }
}

export function addFacts(file) {
  addErasures(file)
  addWriters(file)
  addAdvertisements(file)
}
