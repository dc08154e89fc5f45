/** Receipts whose checkpoint other nodes have cosigned, and receipts of a later writer. */
import { filled, sha256 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { chain, chainBytes, DOMAIN, HOUR_S, PERSON, ROUTER, STRANGER } from './certs.mjs'
import { signWriterChange } from './fact-certs.mjs'
import { MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { coseSign1, nodeManifest, signedManifest, WRITER } from './manifests.mjs'
import { formatName } from './name-vectors.mjs'
import { alteredLine, cosignatureLine, ed25519Line, LAST_BYTE_OF_TIME, note } from './notes.mjs'
import {
  acceptReceipt,
  CAPSULE,
  ENTRIES,
  extra,
  receiptParts,
  receiptText,
  TIME_S,
} from './receipts.mjs'

/** Two nodes that cosigned, sorted by name: [signed manifest, certificates], and their lines. */
function makeCosigners(text) {
  const nodes = ['first node', 'second node'].map((label) => {
    const { name, signed } = signedManifest(nodeManifest(label))
    const line = (role, timeS = TIME_S) => {
      const cosigner = `longshore/${formatName(name)}/${role}`
      return cosignatureLine(cosigner, key(`${label} ${role}`), text, timeS)
    }
    const principal = { name, signed, issuing: key(`${label} identity`) }
    return { name, signed, principal, cosigner: [signed, []], line }
  })
  return nodes.sort((a, b) => Buffer.compare(a.name, b.name))
}

/** A receipt of entry 4 with these cosigners in its extra and these lines on its checkpoint. */
function cosigned(cosigners, ...lines) {
  const parts = receiptParts(ENTRIES, 4)
  const { header, body } = ENTRIES[4]
  return receiptText({
    ...parts,
    extraBytes: encode(extra({ header, payload: body, cosigners })),
    checkpoint: note(parts.committed.text, parts.committed.line, ...lines),
  })
}

function refusedCosigners([first, second]) {
  const both = [first.cosigner, second.cosigner]
  const [signed] = first.cosigner
  const impostor = coseSign1({ body: encode(nodeManifest('first node')), signer: key('stranger') })
  const line = first.line('mirror')
  const wrongTime = alteredLine(line, LAST_BYTE_OF_TIME)
  const [invalid, bad] = ['RECEIPT_INVALID', 'BAD_SIGNATURE']
  return [
    ['order', 'cosigners not sorted by name', invalid, cosigned(both.toReversed())],
    ['twice', 'one node twice', invalid, cosigned([first.cosigner, first.cosigner])],
    ['capsule', 'a cosigner that is not a node', invalid, cosigned([[CAPSULE.signed, []]])],
    ['cert-text', 'a certificate that is text', invalid, cosigned([[signed, ['cert']]])],
    ['signature', 'a cosignature that does not hold', bad, cosigned(both, alteredLine(line, 75))],
    ['time', 'a cosignature with another time', bad, cosigned(both, wrongTime)],
    ['manifest', "the node's manifest signed by a stranger", bad, cosigned([[impostor, []]])],
  ]
}

export function addCosigned(file) {
  const { header, payload } = ENTRIES[4]
  const nodes = makeCosigners(receiptParts(ENTRIES, 4).committed.text)
  const [first, second] = nodes
  const both = [first.cosigner, second.cosigner]
  const lines = [first.line('mirror'), second.line('witness', TIME_S + 1)]
  const cosigners = [
    { name: first.name, role: 'mirror', timeS: TIME_S },
    { name: second.name, role: 'witness', timeS: TIME_S + 1 },
  ]
  for (const [id, comment, receipt, held] of [
    [
      'cosigners',
      'a mirror and a witness: their right to count is not shown',
      cosigned(both, ...lines),
      cosigners,
    ],
    ['cosigner-without-line', 'a node in the extra that has not cosigned', cosigned(both), []],
  ]) {
    const expected = { branch: MAIN, index: 4, size: 11, header, payload, cosigners: held }
    acceptReceipt(file, id, comment, receipt, expected)
  }
  addMirrors(file, nodes)
  addWriterChanges(file)
  for (const [id, comment, code, receipt] of refusedCosigners(nodes)) {
    file.invalid(`bad-cosigner-${id}`, comment, code, { receipt })
  }
}

/** Mirrors with chains that hold, and with chains that make them count for nothing. */
function addMirrors(file, [first, second]) {
  const { header, payload } = ENTRIES[4]
  const ad = (node, ...changes) => chainBytes(chain('adcert', [PERSON, node.principal], ...changes))
  const member = (node, ...changes) =>
    chainBytes(chain('membercert', [DOMAIN, node.principal], ...changes))
  const good = { name: first.name, domains: [], timeS: TIME_S }
  const inDomain = { ...good, domains: [DOMAIN.name] }
  const unproven = [{ name: first.name, role: 'mirror', timeS: TIME_S }]
  const foreign = chainBytes(chain('adcert', [STRANGER, first.principal]))
  const elsewhere = chainBytes(chain('adcert', [PERSON, ROUTER]))
  const listed = ad(first, { domains: [DOMAIN.name] })
  for (const [id, comment, certs, mirrors, cosigners] of [
    ['mirror', 'a mirror that counts', [ad(first)], [good], []],
    ['mirror-member', 'a member of a domain', [ad(first), member(first)], [inDomain], []],
    ['mirror-listed', 'for members only', [listed, member(first)], [inDomain], []],
    ['mirror-not-member', 'a right without its domain', [listed], [], unproven],
    ['mirror-other-member', "another's membership", [ad(first), member(second)], [good], []],
    [
      'mirror-lookup',
      'a membership without the right to mirror',
      [ad(first), member(first, { rights: ['lookup'] })],
      [good],
      [],
    ],
    ['mirror-foreign', 'a chain to a stranger', [foreign], [], unproven],
    ['mirror-other', 'the chain of another node', [elsewhere], [], unproven],
    ['mirror-right', 'only to advertise', [ad(first, { rights: ['advertise'] })], [], unproven],
    ['mirror-late', 'over by then', [ad(first, { notAfter: TIME_S - 1 })], [], unproven],
    ['mirror-early', 'not yet', [ad(first, { notBefore: TIME_S + 1 })], [], unproven],
    ['mirror-order', 'the membership first', [member(first), ad(first)], [], unproven],
    ['mirror-junk', 'no chain', [filled(9, 7)], [], unproven],
  ]) {
    const receipt = cosigned([[first.signed, certs]], first.line('mirror'))
    const level = mirrors.length === 0 ? 'stored' : `replicated:${mirrors.length}`
    const expected = {
      branch: MAIN,
      index: 4,
      size: 11,
      header,
      payload,
      cosigners,
      mirrors,
      level,
    }
    acceptReceipt(file, id, comment, receipt, expected)
  }
  const both = [first, second].map((node) => [node.signed, [ad(node)]])
  const lines = [first.line('mirror'), second.line('mirror', TIME_S + HOUR_S)]
  const mirrors = [good, { name: second.name, domains: [], timeS: TIME_S + HOUR_S }]
  acceptReceipt(file, 'mirrors', 'two mirrors', cosigned(both, ...lines), {
    branch: MAIN,
    index: 4,
    size: 11,
    header,
    payload,
    mirrors,
    level: 'replicated:2',
  })
}

/** The head of 11 entries under the second writer, who took over after `size` entries. */
function underSecondWriter(certs) {
  const { header, body } = ENTRIES[4]
  const { text, origin } = receiptParts(ENTRIES, 4).committed
  return receiptText({
    ...receiptParts(ENTRIES, 4),
    extraBytes: encode(extra({ header, payload: body, certs })),
    checkpoint: note(text, ed25519Line(origin, key('second writer'), text)),
  })
}

function addWriterChanges(file) {
  const { header, payload } = ENTRIES[4]
  const first = signWriterChange('second writer')
  acceptReceipt(
    file,
    'writer-changed',
    'a head under the second writer',
    underSecondWriter([first]),
    {
      branch: MAIN,
      index: 4,
      size: 11,
      header,
      payload,
    },
  )
  const next = { epoch: 2, parent: sha256(first), size: 9 }
  for (const [id, comment, code, certs] of [
    ['missing', 'without the change', 'BAD_SIGNATURE', []],
    [
      'more',
      'a key that did not sign',
      'BAD_SIGNATURE',
      [first, signWriterChange('third writer', next)],
    ],
    [
      'order',
      'a change that does not follow',
      'CERT_CHAIN',
      [signWriterChange('second writer', next)],
    ],
    [
      'late',
      'a head before the change',
      'RECEIPT_INVALID',
      [signWriterChange('second writer', { size: 11 })],
    ],
    [
      'self',
      'a change by the writer',
      'BAD_SIGNATURE',
      [signWriterChange('second writer', {}, WRITER)],
    ],
    ['junk', 'no certificate', 'CERT_INVALID', [filled(9, 7)]],
  ]) {
    file.invalid(`bad-writer-${id}`, comment, code, { receipt: underSecondWriter(certs) })
  }
}
