/** A small capsule and receipts for its entries: C2SP tlog-proof with our extra. */
import { base64, concat, derived, sha256, utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { branchStart, controlHeader, MAIN, plainHeader, SALT } from './headers.mjs'
import { capsuleManifest, OWNER, signedManifest, TIME_US, WRITER } from './manifests.mjs'
import { inclusionPath, leafHash, listTree } from './merkle.mjs'
import { formatName, formatOrigin } from './name-vectors.mjs'
import { checkpointText, ed25519Line, note } from './notes.mjs'

export const CAPSULE = signedManifest(capsuleManifest())

/** Entries of the capsule: header bytes, body, payload; every third one is blinded. */
export function makeEntries(count) {
  return Array.from({ length: count }, (_, index) => {
    const payload = utf8(`reading ${index}`)
    const kind = index % 3 === 2 ? 1 : 0
    const body = kind === 1 ? concat(SALT, payload) : payload
    const header = encode(
      plainHeader({ 0: kind, 1: TIME_US + index, 2: payload.length, 3: sha256(body) }),
    )
    return { kind, header, body, payload }
  })
}

/** The entries that most receipts are about. */
export const ENTRIES = makeEntries(11)
export const TIME_S = 1735787045

/** The same number of entries on a branch: entry 0 says where it leaves its parent. */
export const BRANCH_ENTRIES = ENTRIES.with(0, controlEntry({ branch: branchStart() }))

/** An entry that carries a command. */
export function controlEntry(ext) {
  const payload = new Uint8Array(0)
  return { kind: 0, header: encode(controlHeader(ext)), body: payload, payload }
}

/** A tree over entries, and the checkpoint text and note of it for one branch. */
export function commit(entries, branch = MAIN, signer = WRITER, name = CAPSULE.name) {
  const tree = listTree(entries.map(({ header }) => leafHash(header)))
  const size = entries.length
  const root = tree(0, size)
  const origin = formatOrigin(name, branch)
  const text = checkpointText(origin, size, root)
  const line = ed25519Line(origin, signer, text)
  return { tree, size, root, origin, text, line, note: note(text, line) }
}

export function extra({ header, manifest = CAPSULE.signed, payload, ...changes }) {
  const map = { certs: [], cosigners: [], header, manifest, v: 1, ...changes }
  return payload === undefined ? map : { ...map, payload }
}

/** The text of a receipt from its parts; each can be replaced. */
export function receiptText({ extraBytes, index, path, checkpoint }) {
  const lines = [
    'c2sp.org/tlog-proof@v1',
    `extra ${base64(extraBytes)}`,
    `index ${index}`,
    ...path.map(base64),
    '',
  ]
  return `${lines.join('\n')}\n${checkpoint}`
}

/** The parts of a good receipt for entry `index`. */
export function receiptParts(entries, index, branch = MAIN) {
  const committed = commit(entries, branch)
  const { header, body } = entries[index]
  const payload = body.length <= 65536 ? body : undefined
  return {
    extraBytes: encode(extra({ header, payload })),
    index,
    path: inclusionPath(committed.tree, index, 0, entries.length),
    checkpoint: committed.note,
    committed,
  }
}

export const OTHER_CAPSULE = signedManifest(
  capsuleManifest({ nonce: derived('other capsule', 16) }),
)

/** A case for a receipt of the shared capsule; `expected` is what it proves beside the name. */
export function acceptReceipt(file, id, comment, receipt, expected) {
  const { name } = CAPSULE
  file.valid(id, comment, {
    receipt,
    name: formatName(name),
    owner: OWNER.publicKey,
    ...expected,
  })
}
