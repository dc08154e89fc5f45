/** Receipts whose checkpoint other nodes have cosigned. */
import { encode } from './cbor.mjs'
import { key } from './keys.mjs'
import { coseSign1, nodeManifest, signedManifest } from './manifests.mjs'
import { formatName } from './name-vectors.mjs'
import { alteredLine, cosignatureLine, LAST_BYTE_OF_TIME, note } from './notes.mjs'
import { CAPSULE, ENTRIES, extra, receiptParts, receiptText, TIME_S } from './receipts.mjs'

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

function addCosigned(file) {
  const parts = receiptParts(ENTRIES, 4)
  const { text, line } = parts.committed
  const { header, body } = ENTRIES[4]
  const nodes = makeCosigners(text)
  const cosigned = (cosigners, ...lines) =>
    receiptText({
      ...parts,
      extraBytes: encode(extra({ header, payload: body, cosigners })),
      checkpoint: note(text, line, ...lines),
    })
  const [first, second] = nodes
  const both = [first.cosigner, second.cosigner]
  const expected = { branch: MAIN, index: 4, size: 11, header, payload: ENTRIES[4].payload }
  accept(
    file,
    'cosigners',
    'a mirror and a witness, whose right to count is not shown',
    cosigned(both, first.line('mirror'), second.line('witness', TIME_S + 1)),
    {
      ...expected,
      cosigners: [
        { name: first.name, role: 'mirror', timeS: TIME_S },
        { name: second.name, role: 'witness', timeS: TIME_S + 1 },
      ],
    },
  )
  accept(
    file,
    'cosigner-without-line',
    'a node in the extra that has not cosigned',
    cosigned(both),
    { ...expected, cosigners: [] },
  )
  const impostor = coseSign1({ body: encode(nodeManifest('first node')), signer: key('stranger') })
  for (const [id, comment, code, receipt] of [
    ['order', 'cosigners not sorted by name', 'RECEIPT_INVALID', cosigned(both.toReversed())],
    ['twice', 'one node twice', 'RECEIPT_INVALID', cosigned([first.cosigner, first.cosigner])],
    [
      'capsule',
      'a cosigner that is not a node',
      'RECEIPT_INVALID',
      cosigned([[CAPSULE.signed, []]]),
    ],
    [
      'signature',
      'a cosignature that does not hold',
      'BAD_SIGNATURE',
      cosigned(both, alteredLine(first.line('mirror'), 75)),
    ],
    [
      'time',
      'a cosignature with another time',
      'BAD_SIGNATURE',
      cosigned(both, alteredLine(first.line('mirror'), LAST_BYTE_OF_TIME)),
    ],
    [
      'manifest',
      'the manifest of the node signed by a stranger',
      'BAD_SIGNATURE',
      cosigned([[impostor, []]]),
    ],
    [
      'cert-text',
      'a certificate that is text',
      'RECEIPT_INVALID',
      cosigned([[first.cosigner[0], ['cert']]]),
    ],
  ]) {
    file.invalid(`bad-cosigner-${id}`, comment, code, { receipt })
  }
}

