/** Receipts whose checkpoint other nodes have cosigned. */
import { encode } from './cbor.mjs'
import { MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { coseSign1, nodeManifest, signedManifest } from './manifests.mjs'
import { formatName } from './name-vectors.mjs'
import { alteredLine, cosignatureLine, LAST_BYTE_OF_TIME, note } from './notes.mjs'
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
    return { name, cosigner: [signed, []], line }
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
  for (const [id, comment, code, receipt] of refusedCosigners(nodes)) {
    file.invalid(`bad-cosigner-${id}`, comment, code, { receipt })
  }
}
