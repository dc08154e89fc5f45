/** Receipts: good ones, and everything that must not pass for one. */
import { concat, derived, filled, sha256, utf8 } from './bytes.mjs'
import { encode } from './cbor.mjs'
import { addCosigned } from './cosigned-receipts.mjs'
import { BRANCH, branchStart, headPointer, MAIN, plainHeader } from './headers.mjs'
import { key } from './keys.mjs'
import { WRITER } from './manifests.mjs'
import { formatName } from './name-vectors.mjs'
import { cosignatureLine, note } from './notes.mjs'
import {
  acceptReceipt,
  BRANCH_ENTRIES,
  controlEntry,
  ENTRIES,
  extra,
  OTHER_CAPSULE,
  receiptParts,
  receiptText,
  TIME_S,
} from './receipts.mjs'
import { refusedClaims, refusedExtras, refusedFrames } from './refused-receipts.mjs'
import { VectorFile } from './vector-file.mjs'

function addEntries(file) {
  for (const count of [1, 2, 7, 11]) {
    const entries = ENTRIES.slice(0, count)
    for (let index = 0; index < count; index += count > 7 ? 5 : 1) {
      const { header, payload, kind } = entries[index]
      const comment = kind === 1 ? 'a blinded entry' : 'a plain entry'
      const receipt = receiptText(receiptParts(entries, index))
      const expected = { branch: MAIN, index, size: count, header, payload }
      acceptReceipt(file, `entry-${index}-of-${count}`, comment, receipt, expected)
    }
  }
}

function addPayloadSizes(file) {
  for (const [id, comment, payload] of [
    ['payload-empty', 'an empty payload', new Uint8Array(0)],
    ['payload-65536', 'the largest payload that travels in a receipt', filled(65536, 0x61)],
    ['payload-65537', 'a larger payload stays outside', derived('larger payload', 65537)],
  ]) {
    const header = encode(plainHeader({ 2: payload.length, 3: sha256(payload) }))
    const parts = receiptParts([...ENTRIES.slice(0, 3), { header, body: payload }], 3)
    const carried = payload.length <= 65536 ? { payload } : {}
    const expected = { branch: MAIN, index: 3, size: 4, header, ...carried }
    acceptReceipt(file, id, comment, receiptText(parts), expected)
  }
}

function addForms(file) {
  const { header, payload } = ENTRIES[4]
  const parts = receiptParts(ENTRIES, 4)
  const { text, line, origin } = parts.committed
  const withLine = (more) => receiptText({ ...parts, checkpoint: note(text, line, more) })
  const heartbeat = withLine(cosignatureLine(origin, WRITER, text, TIME_S))
  const stranger = withLine(cosignatureLine('example.com/w', key('w'), text, TIME_S))
  const bare = receiptText({ ...parts, extraBytes: encode(extra({ header })) })
  const branch = receiptText(receiptParts(BRANCH_ENTRIES, 4, BRANCH))
  for (const [id, comment, receipt, more] of [
    [
      'payload-left-out',
      'the payload may be missing: erased, or kept apart',
      bare,
      { payload: undefined },
    ],
    ['heartbeat', 'the writer cosigned its checkpoint later', heartbeat, { heartbeatS: TIME_S }],
    ['unknown-witness', 'a line of a key that nobody vouches for is ignored', stranger, {}],
    ['branch', 'an entry of another branch', branch, { branch: BRANCH }],
  ]) {
    const expected = { branch: MAIN, index: 4, size: 11, header, payload, ...more }
    acceptReceipt(file, id, comment, receipt, expected)
  }
}

/** Entries that carry a command, at places where they may and may not stand. */
function addControls(file) {
  const start = { branch: branchStart() }
  const erase = { erase: [[[0, 3]], 'wish'] }
  const ownParent = { branch: branchStart({ 0: BRANCH }) }
  const merge = { merge: [MAIN, [headPointer(BRANCH)]] }
  const place = (ext, index, branch) => {
    const entries = ENTRIES.with(index, controlEntry(ext))
    const { header, payload } = entries[index]
    const receipt = receiptText(receiptParts(entries, index, branch))
    return { receipt, expected: { branch, index, size: 11, header, payload } }
  }
  for (const [id, comment, { receipt, expected }] of [
    ['branch-start', 'entry 0 of a branch', place(start, 0, BRANCH)],
    ['erase', 'an erasure of earlier entries', place(erase, 3, MAIN)],
    ['merge', 'a merge on the branch that continues', place(merge, 5, MAIN)],
  ]) {
    acceptReceipt(file, id, comment, receipt, expected)
  }
  for (const [id, comment, { receipt }] of [
    ['branch-start-main', 'the main branch has no parent', place(start, 0, MAIN)],
    ['branch-start-late', 'a branch start that is not entry 0', place(start, 4, BRANCH)],
    ['branch-no-start', 'entry 0 of a branch must be its start', place(erase, 0, BRANCH)],
    ['branch-own-parent', 'a branch that is its own parent', place(ownParent, 0, BRANCH)],
    ['merge-elsewhere', 'a merge on another branch', place(merge, 5, BRANCH)],
    ['erase-itself', 'an erasure that names itself', place(erase, 2, MAIN)],
    ['erase-later', 'an erasure that names later entries', place(erase, 1, MAIN)],
  ]) {
    file.invalid(`bad-place-${id}`, comment, 'HEADER_INVALID', { receipt })
  }
}

export function receiptVectors() {
  const file = new VectorFile(
    'receipt',
    'Receipts (tlog-proof), as text, or as bytes where they are not UTF-8; spacesAfter spaces are to be added. Valid: consistent with name and owner, for the entry with header at index of the tree of size on branch; payload where it travels along; mirrors lists those that count, and level says how many (stored where it is missing); cosigners lists the other cosignatures that hold. Invalid: verifying (for the name expected, where given) fails with code.',
  )
  addEntries(file)
  addPayloadSizes(file)
  addForms(file)
  addControls(file)
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
