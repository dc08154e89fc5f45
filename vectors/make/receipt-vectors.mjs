/** Receipts: good ones, and everything that must not pass for one. */
import { base64, concat, derived, filled, flipBit, sha256, utf8 } from './bytes.mjs'
import { bytesItem, encode, head, mapItem, textItem, uint } from './cbor.mjs'
import { BRANCH, MAIN, plainHeader } from './headers.mjs'
import { key } from './keys.mjs'
import {
  capsuleManifest,
  coseSign1,
  keyEntry,
  nodeManifest,
  OWNER,
  ownerOnlyManifest,
  signedManifest,
  WRITER,
} from './manifests.mjs'
import { inclusionPath } from './merkle.mjs'
import { formatName, formatOrigin } from './name-vectors.mjs'
import { checkpointText, cosignatureLine, ed25519Line, note } from './notes.mjs'
import {
  CAPSULE,
  commit,
  extra,
  makeEntries,
  OTHER_CAPSULE,
  receiptParts,
  receiptText,
} from './receipts.mjs'
import { VectorFile } from './vector-file.mjs'

const ENTRIES = makeEntries(11)
const TIME_S = 1735787045

function accept(file, id, comment, receipt, expected) {
  file.valid(id, comment, {
    receipt,
    name: formatName(CAPSULE.name),
    owner: OWNER.publicKey,
    ...expected,
  })
}

function addValid(file) {
  for (const count of [1, 2, 7, 11]) {
    const entries = ENTRIES.slice(0, count)
    for (let index = 0; index < count; index += count > 7 ? 5 : 1) {
      const { header, payload, kind } = entries[index]
      accept(
        file,
        `entry-${index}-of-${count}`,
        kind === 1 ? 'a blinded entry' : 'a plain entry',
        receiptText(receiptParts(entries, index)),
        {
          branch: MAIN,
          index,
          size: count,
          header,
          payload,
        },
      )
    }
  }
  const large = derived('large payload', 65536)
  const larger = derived('larger payload', 65537)
  for (const [id, comment, payload] of [
    ['payload-empty', 'an empty payload', new Uint8Array(0)],
    ['payload-65536', 'the largest payload that travels in a receipt', large],
    ['payload-65537', 'a larger payload stays outside', larger],
  ]) {
    const header = encode(plainHeader({ 2: payload.length, 3: sha256(payload) }))
    const parts = receiptParts([...ENTRIES.slice(0, 3), { header, body: payload }], 3)
    accept(file, id, comment, receiptText(parts), {
      branch: MAIN,
      index: 3,
      size: 4,
      header,
      ...(payload.length <= 65536 ? { payload } : {}),
    })
  }
  const parts = receiptParts(ENTRIES, 4)
  const expected = { branch: MAIN, index: 4, size: 11, header: ENTRIES[4].header }
  accept(
    file,
    'payload-left-out',
    'the payload may be missing: erased, or kept apart',
    receiptText({
      ...parts,
      extraBytes: encode(extra({ header: ENTRIES[4].header })),
    }),
    expected,
  )
  const { text, line, origin } = parts.committed
  const withLines = (...lines) => receiptText({ ...parts, checkpoint: note(text, line, ...lines) })
  accept(
    file,
    'heartbeat',
    'the writer cosigned its checkpoint later',
    withLines(cosignatureLine(origin, WRITER, text, TIME_S)),
    {
      ...expected,
      payload: ENTRIES[4].payload,
      heartbeatS: TIME_S,
    },
  )
  accept(
    file,
    'unknown-witness',
    'a line of a key that nobody vouches for is ignored',
    withLines(cosignatureLine('example.com/w', key('w'), text, TIME_S)),
    {
      ...expected,
      payload: ENTRIES[4].payload,
    },
  )
  accept(
    file,
    'branch',
    'an entry of another branch',
    receiptText(receiptParts(ENTRIES, 4, BRANCH)),
    {
      ...expected,
      branch: BRANCH,
      payload: ENTRIES[4].payload,
    },
  )
}

export function receiptVectors() {
  const file = new VectorFile(
    'receipt',
    'Receipts (tlog-proof), as text, or as bytes where they are not UTF-8; spacesAfter spaces are to be added. Valid: consistent with name and owner, for the entry with header at index of the tree of size on branch; payload where it travels along; cosigners lists the cosignatures that hold. Invalid: verifying (for the name expected, where given) fails with code.',
  )
  addValid(file)
  addCosigned(file)
  const parts = receiptParts(ENTRIES, 4)
  const good = receiptText(parts)
  for (const [id, comment, text] of refusedFrames(good, parts)) {
    file.invalid(`bad-frame-${id}`, comment, 'RECEIPT_INVALID', { receipt: text })
  }
  file.invalid('bad-frame-utf8', 'bytes that are not UTF-8', 'RECEIPT_INVALID', {
    receiptBytes: concat(utf8(good), filled(1, 0xff)),
  })
  file.invalid(
    'bad-frame-huge',
    'far above 256 KiB: the receipt and 300000 spaces',
    'RECEIPT_INVALID',
    {
      receipt: good,
      spacesAfter: 300000,
    },
  )
  for (const [id, comment, extraBytes] of refusedExtras()) {
    file.invalid(`bad-extra-${id}`, comment, 'RECEIPT_INVALID', {
      receipt: receiptText({ ...parts, extraBytes }),
    })
  }
  for (const [id, comment, code, changed] of refusedClaims(parts)) {
    file.invalid(`bad-claim-${id}`, comment, code, { receipt: receiptText(changed) })
  }
  file.invalid(
    'bad-name',
    'a good receipt, but for another capsule than the one asked for',
    'NAME_MISMATCH',
    {
      receipt: good,
      expected: formatName(OTHER_CAPSULE.name),
    },
  )
  return file
}
