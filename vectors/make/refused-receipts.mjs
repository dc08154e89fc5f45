/** Receipts that a verifier must refuse. */
import { base64, concat, derived, filled, flipBit } from './bytes.mjs'
import { bytesItem, encode, head, mapItem, textItem, uint } from './cbor.mjs'
import { BRANCH, MAIN, plainHeader } from './headers.mjs'
import { key } from './keys.mjs'
import {
  capsuleManifest,
  keyEntry,
  OWNER,
  ownerOnlyManifest,
  signedManifest,
  WRITER,
} from './manifests.mjs'
import { inclusionPath } from './merkle.mjs'
import { formatOrigin } from './name-vectors.mjs'
import {
  alteredLine,
  checkpointText,
  cosignatureLine,
  ed25519Line,
  LAST_BYTE_OF_TIME,
  note,
} from './notes.mjs'
import { CAPSULE, commit, ENTRIES, extra, OTHER_CAPSULE, TIME_S } from './receipts.mjs'

/** Texts that are no receipt; [id, comment, text]. */
export function refusedFrames(good, parts) {
  const lines = good.split('\n')
  const replaceLine = (at, text) => lines.with(at, text).join('\n')
  const indexLine = 2
  return [
    ['empty', 'nothing', ''],
    ['version-2', 'another version', replaceLine(0, 'c2sp.org/tlog-proof@v2')],
    ['first-line-space', 'a space at the end of the first line', replaceLine(0, `${lines[0]} `)],
    ['no-first-line', 'without the first line', lines.slice(1).join('\n')],
    [
      'no-extra',
      'without extra there is no header and no manifest',
      lines.toSpliced(1, 1).join('\n'),
    ],
    ['two-extras', 'extra twice', lines.toSpliced(1, 0, lines[1]).join('\n')],
    [
      'extra-after-index',
      'extra after index',
      [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'),
    ],
    ['extra-empty', 'an empty extra', replaceLine(1, 'extra ')],
    ['extra-no-space', 'no space after extra', replaceLine(1, lines[1].replace(' ', ''))],
    [
      'extra-base64',
      'another base64 alphabet',
      replaceLine(
        1,
        `extra ${base64(concat(filled(3, 0xff), parts.extraBytes)).replaceAll('/', '_')}`,
      ),
    ],
    [
      'extra-wrapped',
      'base64 in two lines',
      replaceLine(1, `${lines[1].slice(0, 60)}\n${lines[1].slice(60)}`),
    ],
    ['no-index', 'without index', lines.toSpliced(indexLine, 1).join('\n')],
    ['index-leading-zero', 'an index with a leading zero', replaceLine(indexLine, 'index 04')],
    ['index-plus', 'an index with a sign', replaceLine(indexLine, 'index +4')],
    ['index-negative', 'a negative index', replaceLine(indexLine, 'index -4')],
    ['index-hex', 'an index in hex', replaceLine(indexLine, 'index 0x4')],
    ['index-empty', 'no number', replaceLine(indexLine, 'index ')],
    ['index-2-53', 'an index above 2^53 - 1', replaceLine(indexLine, 'index 9007199254740992')],
    ['index-digits', 'digits of another script', replaceLine(indexLine, 'index \u0664')],
    ['hash-31', 'a hash of 31 bytes', replaceLine(3, base64(filled(31, 1)))],
    ['hash-33', 'a hash of 33 bytes', replaceLine(3, base64(filled(33, 1)))],
    ['hash-unpadded', 'base64 without padding', replaceLine(3, lines[3].slice(0, -1))],
    [
      'hash-spare-bits',
      'base64 with spare bits',
      replaceLine(
        3,
        lines[3].slice(0, -2) + String.fromCharCode(lines[3].charCodeAt(42) + 1) + '=',
      ),
    ],
    ['hash-space', 'a space before a hash', replaceLine(3, ` ${lines[3]}`)],
    ['hashes-64', '64 hashes', lines.toSpliced(3, 0, ...Array(64).fill(lines[3])).join('\n')],
    ['crlf', 'line ends of DOS', good.replaceAll('\n', '\r\n')],
    ['bom', 'a byte order mark', `\ufeff${good}`],
  ]
}

/** Extras that are not the one map of version 1; [id, comment, bytes]. */
export function refusedExtras() {
  const { header, body } = ENTRIES[4]
  const good = extra({ header, payload: body })
  const { certs, cosigners, manifest, v } = good
  const ordered = [
    ['v', uint(v)],
    ['certs', encode(certs)],
    ['header', bytesItem(header)],
    ['payload', bytesItem(body)],
    ['manifest', bytesItem(manifest)],
    ['cosigners', encode(cosigners)],
  ]
  const raw = (pairs) => mapItem(pairs.map(([name, item]) => [textItem(name), item]))
  const without = (name) =>
    encode(Object.fromEntries(Object.entries(good).filter(([other]) => other !== name)))
  return [
    ['unknown-key', 'a key that version 1 does not have', encode({ ...good, x: 1 })],
    ['no-certs', 'a key missing', without('certs')],
    ['no-cosigners', 'a key missing', without('cosigners')],
    ['no-header', 'a key missing', without('header')],
    ['no-manifest', 'a key missing', without('manifest')],
    ['no-v', 'a key missing', without('v')],
    ['v-2', 'another version', encode({ ...good, v: 2 })],
    ['v-text', 'a version as text', encode({ ...good, v: '1' })],
    ['header-text', 'a header as text', encode({ ...good, header: 'header' })],
    ['header-array', 'the header not wrapped', encode({ ...good, header: plainHeader() })],
    ['manifest-null', 'no manifest', encode({ ...good, manifest: null })],
    ['payload-null', 'null instead of no payload', encode({ ...good, payload: null })],
    ['payload-text', 'a payload as text', encode({ ...good, payload: 'reading 4' })],
    ['certs-null', 'null instead of no certificates', encode({ ...good, certs: null })],
    ['certs-text', 'certificates as text', encode({ ...good, certs: ['cert'] })],
    ['cosigners-map', 'a map instead of the list', encode({ ...good, cosigners: {} })],
    [
      'cosigners-shape',
      'a manifest without its certificates',
      encode({ ...good, cosigners: [[manifest]] }),
    ],
    ['array', 'an array', encode([1, header, manifest])],
    ['order', 'keys not sorted', raw([ordered[1], ordered[0], ...ordered.slice(2)])],
    ['duplicate', 'one key twice', raw([ordered[0], ...ordered])],
    [
      'long-head',
      'a length in more bytes than needed',
      raw(ordered.with(3, ['payload', bytesItem(body, 2)])),
    ],
    ['trailing', 'a byte after the map', concat(encode(good), filled(1, 0))],
    ['truncated', 'the last byte missing', encode(good).slice(0, -1)],
    ['bomb', 'four thousand million pairs announced', head(5, 4294967295)],
    ['payload-65537', 'a payload above 64 KiB', encode({ ...good, payload: filled(65537, 0) })],
  ]
}

/** Extras that bring another entry, payload or capsule; [id, comment, code, changes]. */
function claimedExtras() {
  const { header, body } = ENTRIES[4]
  const other = ENTRIES[5]
  const stranger = key('stranger')
  const impostor = signedManifest(
    capsuleManifest({
      keys: [keyEntry('owner', stranger.publicKey), keyEntry('writer', key('other').publicKey)],
    }),
    stranger,
  )
  const forged = signedManifest(capsuleManifest(), stranger)
  const person = signedManifest(ownerOnlyManifest('person'))
  const [root, payload, name] = ['ROOT_MISMATCH', 'PAYLOAD_MISMATCH', 'NAME_MISMATCH']
  return [
    ['header-other', 'another entry', root, { header: other.header, payload: other.body }],
    ['header-time', 'the time changed', root, { header: flipBit(header, 9) }],
    ['header-invalid', 'no header', 'HEADER_INVALID', { header: concat(header, filled(1, 0)) }],
    ['payload-flip', 'one bit of the payload', payload, { payload: flipBit(body, 0) }],
    ['payload-empty', 'an empty payload', payload, { payload: new Uint8Array(0) }],
    ['payload-other', 'the payload of another entry', payload, { payload: ENTRIES[3].body }],
    ['manifest-other', 'a capsule with the same keys', name, { manifest: OTHER_CAPSULE.signed }],
    ['manifest-impostor', 'a manifest by somebody else', name, { manifest: impostor.signed }],
    [
      'manifest-forged',
      'our manifest by another key',
      'BAD_SIGNATURE',
      { manifest: forged.signed },
    ],
    ['manifest-person', 'nobody may write', 'RECEIPT_INVALID', { manifest: person.signed }],
  ]
}

/** Indices and paths that belong to other entries or to none; [id, comment, code, changes]. */
function claimedPlaces({ path, committed }) {
  const [shape, mismatch] = ['PROOF_SHAPE', 'ROOT_MISMATCH']
  const nodePath = inclusionPath(committed.tree, 4, 0, 11).slice(1)
  return [
    ['index-3', 'the index of another entry', mismatch, { index: 3 }],
    ['index-0', 'another index', mismatch, { index: 0 }],
    ['index-11', 'an index beyond the tree', shape, { index: 11 }],
    ['index-max', 'the largest index', shape, { index: 9007199254740991 }],
    ['path-flip', 'a bit of a hash', mismatch, { path: path.with(1, flipBit(path[1], 0)) }],
    ['path-short', 'a hash missing', shape, { path: path.slice(1) }],
    ['path-long', 'a hash too many', shape, { path: [...path, filled(32, 0)] }],
    ['path-empty', 'no hashes', shape, { path: [] }],
    ['node-as-leaf', 'an inner node as an entry', shape, { index: 2, path: nodePath }],
  ]
}

/** Checkpoints that the writer did not sign for this tree; [id, comment, code, checkpoint]. */
function claimedCheckpoints({ committed: { text, origin, line } }) {
  const [stranger, bad, name] = [key('stranger'), 'BAD_SIGNATURE', 'NAME_MISMATCH']
  const otherText = checkpointText(origin, 11, derived('another root', 32))
  const otherSize = text.replace('\n11\n', '\n12\n')
  const otherBranch = text.replace(origin, formatOrigin(CAPSULE.name, BRANCH))
  const longText = `${text}extension\n`
  const heartbeat = cosignatureLine(origin, WRITER, text, TIME_S)
  const other = commit(ENTRIES, MAIN, WRITER, OTHER_CAPSULE.name)
  const signedBy = (signer, signed = text) => note(signed, ed25519Line(origin, signer, signed))
  return [
    ['root', 'another root under the old signature', bad, note(otherText, line)],
    ['size', 'another size under the old signature', bad, note(otherSize, line)],
    ['branch', 'the main branch renamed', bad, note(otherBranch, line)],
    ['owner', 'signed by the owner key', bad, signedBy(OWNER)],
    ['stranger', 'signed by a stranger', bad, signedBy(stranger)],
    ['other-capsule', 'of another capsule', name, other.note],
    ['older', 'from before the entry', 'PROOF_SHAPE', commit(ENTRIES.slice(0, 3)).note],
    ['extension', 'an extension line', 'CHECKPOINT_INVALID', signedBy(WRITER, longText)],
    ['blank', 'two blank lines before it', 'CHECKPOINT_INVALID', `\n${note(text, line)}`],
    ['missing', 'no checkpoint', 'NOTE_INVALID', ''],
    ['cut', 'the last byte missing', 'NOTE_INVALID', note(text, line).slice(0, -1)],
    ['trailing', 'a line after the end', 'NOTE_INVALID', `${note(text, line)}x\n`],
    ['heartbeat', 'another time', bad, note(text, line, alteredLine(heartbeat, LAST_BYTE_OF_TIME))],
  ]
}

/** Well-formed receipts that claim what the writer did not sign; [id, comment, code, parts]. */
export function refusedClaims(parts) {
  const { header, body } = ENTRIES[4]
  const extras = claimedExtras().map(([id, comment, code, changes]) => {
    const extraBytes = encode(extra({ header, payload: body, ...changes }))
    return [id, comment, code, { ...parts, extraBytes }]
  })
  const places = claimedPlaces(parts).map(([id, comment, code, changes]) => {
    return [id, comment, code, { ...parts, ...changes }]
  })
  const checkpoints = claimedCheckpoints(parts).map(([id, comment, code, checkpoint]) => {
    return [`checkpoint-${id}`, comment, code, { ...parts, checkpoint }]
  })
  return [...extras, ...places, ...checkpoints]
}
