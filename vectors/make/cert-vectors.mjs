/** Certificates: each kind, chains that hold, and chains that must not. */
import { concat, derived, filled, flipBit, sha256 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import {
  byName,
  CAPSULE,
  chain,
  chainBytes,
  DOMAIN,
  EXTRAS,
  FAR_ROUTER,
  HOUR_S,
  manifestsOf,
  NEVER_S,
  NODE,
  NOW_S,
  ORGANISATION,
  OTHER,
  OTHER_DOMAIN,
  OWN_NODE,
  PERSON,
  ROUTER,
  STRANGER,
  signCert,
  terms,
} from './certs.mjs'
import { addFacts } from './fact-certs.mjs'
import { refusedCerts } from './refused-certs.mjs'
import { VectorFile } from './vector-file.mjs'

const AD = { capsule: CAPSULE.signed, subject: NODE.name, right: 'serve', atS: NOW_S, domains: [] }
const MEMBER = { domain: DOMAIN.name, subject: NODE.name, right: 'mirror', atS: NOW_S }
const RT = { first: NODE.name, adcert: null, router: FAR_ROUTER.name, atS: NOW_S }

const DIRECT = [PERSON, NODE]
const VIA = [PERSON, ORGANISATION, NODE]
const SORTED = [CAPSULE.name, OTHER.name].sort(byName)

function addKinds(file) {
  const add = (id, comment, kind, body, signer = PERSON.issuing) => {
    file.valid(id, comment, { kind, signed: signCert(kind, body, signer), body })
  }
  const names = (count) =>
    Array.from({ length: count }, (_, at) => derived(`name ${at}`, 32)).sort(byName)
  const ad = (changes = {}) => ({ ...terms(PERSON, NODE), ...EXTRAS.adcert, ...changes })
  add('adcert', 'all capsules, both rights', 'adcert', ad())
  add('adcert-lists', 'lists of names', 'adcert', ad({ capsules: SORTED, domains: names(2) }))
  add('adcert-none', 'empty lists name nothing', 'adcert', ad({ capsules: [], domains: [] }))
  const full = ad({ capsules: names(256), domains: names(64) })
  add('adcert-full', 'the longest lists', 'adcert', full)
  const revocable = { revocation: OTHER.name, staleness: 60, depth: 7, serial: filled(16, 0) }
  add('adcert-revocable', 'a revocation capsule, the largest depth', 'adcert', ad(revocable))
  const times = { notBefore: 0, notAfter: NEVER_S }
  add('adcert-times', 'the first and the last second', 'adcert', ad(times))
  const member = { ...terms(DOMAIN, NODE), rights: ['route'] }
  add('membercert', 'one right', 'membercert', member, DOMAIN.issuing)
  const rt = { ...terms(NODE, ROUTER), adcert: sha256(filled(1, 1)) }
  add('rtcert', 'for an AdCert', 'rtcert', rt, NODE.issuing)
  const day = { notBefore: NOW_S, notAfter: NOW_S + 86400 }
  add('rtcert-day', 'exactly 24 hours', 'rtcert', { ...rt, adcert: null, ...day }, NODE.issuing)
  for (const [id, comment, kind, signed] of refusedCerts()) {
    file.invalid(`bad-${id}`, comment, 'CERT_INVALID', { kind, signed })
  }
}

/** A case about a chain; `fields` is what the verifier expects. */
function acceptChain(file, id, comment, kind, links, fields, root) {
  file.valid(id, comment, {
    kind,
    chain: chainBytes(links),
    ...fields,
    leafHash: sha256(links.certs[0]),
    notAfterS: fields.notAfterS ?? NOW_S + HOUR_S,
    root: root.name,
  })
}

function addAdChains(file) {
  const accept = (id, comment, links, fields = {}, root = PERSON) => {
    acceptChain(file, `ad-${id}`, comment, 'ad-chain', links, { ...AD, ...fields }, root)
  }
  const ad = (...rest) => chain('adcert', ...rest)
  accept('direct', 'from the owner to the node', ad(DIRECT))
  accept('via', 'through an organisation', ad(VIA))
  accept('far', 'through three', ad([PERSON, ORGANISATION, ROUTER, DOMAIN, NODE]))
  accept('advertise', 'the other right', ad(VIA), { right: 'advertise' })
  accept('listed', 'a list with this capsule', ad(DIRECT, { capsules: SORTED }))
  const narrowed = ad(VIA, { capsules: SORTED }, { capsules: [CAPSULE.name], rights: ['serve'] })
  accept('narrowed', 'less from link to link', narrowed)
  const inDomain = ad(DIRECT, { domains: [DOMAIN.name] })
  accept('domain', 'for members of a domain', inDomain, { domains: [DOMAIN.name] })
  for (const atS of [NOW_S - HOUR_S, NOW_S + HOUR_S]) {
    accept(`at-${atS}`, 'in its first or last second', ad(DIRECT), { atS })
  }
}

function addRefusedAdChains(file) {
  const refuse = (id, comment, code, links, fields = {}) => {
    const bytes = links instanceof Uint8Array ? links : chainBytes(links)
    file.invalid(`bad-ad-${id}`, comment, code, {
      kind: 'ad-chain',
      chain: bytes,
      ...AD,
      ...fields,
    })
  }
  const ad = (...rest) => chain('adcert', ...rest)
  const good = ad(VIA)
  const [leaf, root] = good.certs
  const { manifests } = good
  const scope = [
    ['right', 'another right', ad(DIRECT, { rights: ['advertise'] })],
    ['capsule', 'another capsule', ad(DIRECT, { capsules: [OTHER.name] })],
    ['no-capsule', 'no capsule', ad(DIRECT, { capsules: [] })],
    ['domain', 'for members of a domain', ad(DIRECT, { domains: [DOMAIN.name] })],
    ['subject', 'for another node', ad([PERSON, ROUTER])],
    ['wider-rights', 'a right more', ad(VIA, { rights: ['serve'] })],
    ['wider-all', 'all from a list', ad(VIA, { capsules: [CAPSULE.name] })],
    ['wider-list', 'a capsule more', ad(VIA, { capsules: [CAPSULE.name] }, { capsules: SORTED })],
    ['wider-any', 'any from a list', ad(VIA, { domains: [DOMAIN.name] })],
    ['wider-before', 'from an earlier second', ad(VIA, { notBefore: NOW_S })],
    ['wider-after', 'to a later second', ad(VIA, { notAfter: NOW_S })],
    ['depth', 'no further link was allowed', ad(VIA, { depth: 0 })],
    ['depth-same', 'the depth does not shrink', ad(VIA, {}, { depth: 1 })],
  ]
  for (const [id, comment, links] of scope) refuse(id, comment, 'CERT_SCOPE', links)
  const elsewhere = { domains: [OTHER_DOMAIN.name] }
  const inDomain = ad(DIRECT, { domains: [DOMAIN.name] })
  refuse('other-domain', 'a member of another domain', 'CERT_SCOPE', inDomain, elsewhere)

  const longer = Array.from({ length: 8 }, (_, at) => [ORGANISATION, ROUTER, DOMAIN][at % 3])
  const linked = [
    ['order', 'the root first', { certs: [root, leaf], manifests }],
    ['gap', 'the root missing', { certs: [leaf], manifests: manifestsOf([ORGANISATION]) }],
    ['twice', 'a certificate twice', { certs: [leaf, leaf, root], manifests }],
    ['parent', 'another parent', ad(VIA, {}, { parent: sha256(leaf) })],
    ['no-parent', 'no parent', ad(VIA, {}, { parent: null })],
    ['root-parent', 'a parent that does not travel along', ad(DIRECT, { parent: sha256(leaf) })],
    ['loop', 'back to the organisation', ad([PERSON, ORGANISATION, ROUTER, ORGANISATION, NODE])],
    ['self', 'a node that lets itself', ad([NODE, NODE])],
    ['long', 'nine links', ad([PERSON, ...longer, NODE])],
    ['owner', 'the chain of a stranger', ad([STRANGER, NODE])],
    ['own-node', "a node of the owner's as root", ad([OWN_NODE, NODE])],
    ['person-between', 'a person may not pass it on', ad([PERSON, STRANGER, NODE])],
    ['no-manifest', 'a manifest missing', { certs: good.certs, manifests: manifests.slice(1) }],
    ['more-manifests', 'one more', { certs: good.certs, manifests: manifestsOf([...VIA]) }],
    [
      'other-manifest',
      'of another',
      { certs: good.certs, manifests: manifestsOf([PERSON, ROUTER]) },
    ],
    ['unsorted', 'manifests not sorted', { certs: good.certs, manifests: manifests.toReversed() }],
  ]
  for (const [id, comment, links] of linked) refuse(id, comment, 'CERT_CHAIN', links)
  refuse('empty', 'no certificate', 'CERT_CHAIN', encode([[], []]))
  refuse('trailing', 'a byte behind', 'CERT_CHAIN', concat(chainBytes(good), filled(1, 0)))
  refuse('map', 'a map', 'CERT_CHAIN', encode({ certs: good.certs, manifests }))

  refuse('early', 'a second before', 'CERT_EXPIRED', good, { atS: NOW_S - HOUR_S - 1 })
  refuse('late', 'a second after', 'CERT_EXPIRED', good, { atS: NOW_S + HOUR_S + 1 })
  refuse('kind', 'MemberCerts', 'CERT_INVALID', chain('membercert', VIA))
  refuse('forged', 'signed by a stranger', 'BAD_SIGNATURE', forged(STRANGER.issuing))
  refuse('flipped', 'a bit of the signature', 'BAD_SIGNATURE', {
    certs: [flipBit(leaf, leaf.length - 40), root],
    manifests,
  })
  const viaNode = [PERSON, { ...ROUTER, issuing: ROUTER.owner }, NODE]
  refuse('node-owner', "signed by the node's owner key", 'BAD_SIGNATURE', ad(viaNode))
}

/** The direct chain with a leaf that another key signed. */
function forged(signer) {
  const body = { ...terms(PERSON, NODE), ...EXTRAS.adcert }
  return { certs: [signCert('adcert', body, signer)], manifests: manifestsOf([PERSON]) }
}

function addMemberChains(file) {
  const member = (...rest) => chain('membercert', ...rest)
  const kind = 'member-chain'
  for (const [id, comment, links, fields] of [
    ['direct', 'by the domain itself', member([DOMAIN, NODE])],
    ['via', 'by a person whom the domain lets do so', member([DOMAIN, PERSON, NODE])],
    [
      'lookup',
      'another right',
      member([DOMAIN, NODE], { rights: ['lookup'] }),
      { right: 'lookup' },
    ],
    ['read', 'a reader', member([DOMAIN, NODE], { rights: ['read'] }), { right: 'read' }],
  ]) {
    acceptChain(file, `member-${id}`, comment, kind, links, { ...MEMBER, ...fields }, DOMAIN)
  }
  const own = { ...MEMBER, domain: PERSON.name, right: 'read' }
  const ofPerson = member([PERSON, NODE], { rights: ['read'] })
  acceptChain(file, 'member-own-reader', 'a person lets a node read', kind, ofPerson, own, PERSON)
  for (const [id, comment, code, links] of [
    ['right', 'another right', 'CERT_SCOPE', member([DOMAIN, NODE], { rights: ['lookup'] })],
    ['wider', 'a right more', 'CERT_SCOPE', member([DOMAIN, PERSON, NODE], { rights: ['mirror'] })],
    ['domain', 'another domain', 'CERT_SCOPE', member([OTHER_DOMAIN, NODE])],
    ['root', 'a root that is no domain', 'CERT_CHAIN', member([PERSON, NODE])],
    [
      'reader',
      'the right to read only',
      'CERT_SCOPE',
      member([DOMAIN, NODE], { rights: ['read'] }),
    ],
    ['subject', 'another subject', 'CERT_SCOPE', member([DOMAIN, ROUTER])],
    ['kind', 'AdCerts', 'CERT_INVALID', chain('adcert', [DOMAIN, NODE])],
    ['late', 'over', 'CERT_EXPIRED', member([DOMAIN, NODE], { notAfter: NOW_S - 1 })],
  ]) {
    file.invalid(`bad-member-${id}`, comment, code, { kind, chain: chainBytes(links), ...MEMBER })
  }
}

function addRtChains(file) {
  const rt = (...rest) => chain('rtcert', ...rest)
  const adcert = sha256(chain('adcert', DIRECT).certs[0])
  const kind = 'rt-chain'
  const along = [NODE, ROUTER, FAR_ROUTER]
  for (const [id, comment, links, fields] of [
    ['name', 'a route to the node itself', rt(along)],
    ['one', 'one router', rt([NODE, FAR_ROUTER])],
    ['capsule', 'a route to a capsule', rt(along, { adcert }, { adcert }), { adcert }],
  ]) {
    acceptChain(file, `rt-${id}`, comment, kind, links, { ...RT, ...fields }, NODE)
  }
  for (const [id, comment, code, links] of [
    ['adcert', 'about an AdCert', 'CERT_SCOPE', rt(along, { adcert }, { adcert })],
    ['mixed', 'links about different AdCerts', 'CERT_SCOPE', rt(along, { adcert })],
    ['router', 'to another router', 'CERT_SCOPE', rt([NODE, ROUTER])],
    ['first', 'from another node', 'CERT_CHAIN', rt([ROUTER, FAR_ROUTER])],
    ['domain', 'a domain carries nothing', 'CERT_CHAIN', rt([NODE, DOMAIN, FAR_ROUTER])],
    ['loop', 'back to the node', 'CERT_CHAIN', rt([NODE, ROUTER, NODE, FAR_ROUTER])],
  ]) {
    file.invalid(`bad-rt-${id}`, comment, code, { kind, chain: chainBytes(links), ...RT })
  }
}

export function certVectors() {
  const file = new VectorFile(
    'cert',
    'Certificates. kind adcert, membercert, rtcert, erasurecert, writercert: signed decodes to body (keys as in the encoded map), or is refused. kind ad-chain, member-chain, rt-chain: chain holds for the fields beside it, and gives leafHash, notAfterS and root, or is refused. kind erasure: signed is an order for capsule. kind writer-chain: certs put writerKey of epoch in force on branch of capsule, for heads of at least sizeMin entries. kind advertisement: signed is the statement of advertiser for the fields beside it.',
  )
  addKinds(file)
  addAdChains(file)
  addRefusedAdChains(file)
  addMemberChains(file)
  addRtChains(file)
  addFacts(file)
  return file
}
