/** Checkpoints, their notes, verifier keys and cosignatures. */
import { base64, bigEndian, concat, derived, filled, flipBit, hex, unhex, utf8 } from './bytes.mjs'
import { BRANCH, MAIN } from './headers.mjs'
import { key } from './keys.mjs'
import { WRITER } from './manifests.mjs'
import { formatName, formatOrigin } from './name-vectors.mjs'
import {
  checkpointText,
  cosignatureLine,
  ed25519Line,
  keyId,
  note,
  signatureLine,
  TYPE_COSIGNATURE,
  TYPE_ED25519,
  TYPE_ML_DSA,
  verifierKey,
} from './notes.mjs'
import { VectorFile } from './vector-file.mjs'

export const NAME = derived('capsule name', 32)
const ROOT = derived('checkpoint root', 32)
const ORIGIN = formatOrigin(NAME, MAIN)
const TEXT = checkpointText(ORIGIN, 12345, ROOT)
const WITNESS_NAME = `longshore/${formatName(derived('witness node', 32))}/witness`
const WITNESS = key('witness')
const TIME_S = 1735787045

/** A note as text, or as `noteBytes` if it is not UTF-8. */
function noteFields(text, branch = MAIN) {
  const field = typeof text === 'string' ? { note: text } : { noteBytes: text }
  return { ...field, name: NAME, branch, writerKey: WRITER.publicKey }
}

function signed(text, signer = WRITER) {
  return note(text, ed25519Line(text.slice(0, text.indexOf('\n')), signer, text))
}

function addTexts(file) {
  for (const [size, root] of [
    [1, filled(32, 0)],
    [12345, ROOT],
    [4294967296, filled(32, 0xff)],
    [9007199254740991, ROOT],
  ]) {
    for (const branch of [MAIN, BRANCH]) {
      const origin = formatOrigin(NAME, branch)
      const text = checkpointText(origin, size, root)
      const where = branch.length === 0 ? 'main' : 'branch'
      file.valid(`head-${size}-${where}`, 'text, verifier key and note of a head', {
        kind: 'open',
        text,
        vkey: verifierKey(origin, WRITER.publicKey),
        ...noteFields(signed(text), branch),
        size,
        root,
        signature: WRITER.sign(utf8(text)),
      })
    }
  }
}

/** A case for a note that opens to the shared checkpoint. */
function accept(file, id, comment, text, more = {}) {
  file.valid(`note-${id}`, comment, {
    kind: 'open',
    text: TEXT,
    ...noteFields(text),
    size: 12345,
    root: ROOT,
    signature: WRITER.sign(utf8(TEXT)),
    ...more,
  })
}

function addNotes(file) {
  const line = ed25519Line(ORIGIN, WRITER, TEXT)
  const stranger = ed25519Line('example.com/unknown', key('stranger'), TEXT)
  accept(file, 'unknown-after', 'lines of unknown keys are ignored', note(TEXT, line, stranger))
  accept(file, 'unknown-before', 'in any order', note(TEXT, stranger, line))
  accept(
    file,
    'same-name',
    'a line with our name and another key id is of an unknown key',
    note(TEXT, signatureLine(ORIGIN, concat(unhex('01020304'), filled(64, 1))), line),
  )
  accept(
    file,
    'same-id',
    'a line with our key id and another name is of an unknown key',
    note(
      TEXT,
      signatureLine(
        'example.com/other',
        concat(keyId(ORIGIN, TYPE_ED25519, WRITER.publicKey), filled(64, 1)),
      ),
      line,
    ),
  )
  accept(
    file,
    'unknown-type',
    'an unknown key may have a signature of any length',
    note(TEXT, line, signatureLine('example.com/x', filled(5, 7))),
  )
  accept(
    file,
    'sixteen',
    'sixteen signature lines must be possible',
    note(
      TEXT,
      ...Array.from({ length: 15 }, (_, at) => {
        return ed25519Line(`example.com/w${at}`, key(`w${at}`), TEXT)
      }),
      line,
    ),
  )
  accept(
    file,
    'ml-dsa',
    'an ML-DSA-44 cosignature (type 0x06) of 2420 bytes and its time',
    note(
      TEXT,
      line,
      signatureLine(
        'example.com/pq',
        concat(
          keyId('example.com/pq', TYPE_ML_DSA, derived('ml-dsa key', 1312)),
          bigEndian(TIME_S, 8),
          derived('ml-dsa signature', 2420),
        ),
      ),
    ),
  )
}

function addCosigned(file) {
  const line = ed25519Line(ORIGIN, WRITER, TEXT)
  accept(
    file,
    'heartbeat',
    'the writer cosigns its own checkpoint',
    note(TEXT, line, cosignatureLine(ORIGIN, WRITER, TEXT, TIME_S)),
    {
      heartbeatS: TIME_S,
    },
  )
  accept(
    file,
    'heartbeat-first',
    'the heartbeat before the signature',
    note(TEXT, cosignatureLine(ORIGIN, WRITER, TEXT, 0), line),
    {
      heartbeatS: 0,
    },
  )
  accept(
    file,
    'witness',
    'a cosignature of a witness',
    note(TEXT, line, cosignatureLine(WITNESS_NAME, WITNESS, TEXT, TIME_S)),
    {
      cosigner: {
        name: WITNESS_NAME,
        key: WITNESS.publicKey,
        timeS: TIME_S,
        vkey: verifierKey(WITNESS_NAME, WITNESS.publicKey, TYPE_COSIGNATURE),
      },
    },
  )
}

/** Notes of the right shape whose text is no checkpoint of ours. */
function refusedTexts() {
  const b64 = base64(ROOT)
  const lines = (...parts) => parts.map((part) => `${part}\n`).join('')
  const sizes = [
    '',
    '0',
    '00',
    '01',
    '+5',
    '-1',
    ' 5',
    '5 ',
    '5.0',
    '5e3',
    '0x5',
    '٣',
    '9007199254740992',
    '18446744073709551616',
    '1'.repeat(400),
    'five',
    '1,000',
  ]
  const roots = {
    empty: '',
    short: base64(ROOT.slice(1)),
    long: base64(concat(ROOT, filled(1, 0))),
    unpadded: b64.slice(0, -1),
    overpadded: `${b64}=`,
    urlsafe: base64(filled(32, 0xff)).replaceAll('/', '_'),
    'spare-bits': `${b64.slice(0, -2)}${String.fromCharCode(b64.charCodeAt(42) + 1)}=`,
    space: ` ${b64}`,
    hex: hex(ROOT),
  }
  const cases = sizes.map((size, at) => [
    `size-${at}`,
    `size ${size.slice(0, 24)}`,
    lines(ORIGIN, size, b64),
  ])
  for (const [id, root] of Object.entries(roots))
    cases.push([`root-${id}`, 'another spelling of the root', lines(ORIGIN, '12345', root)])
  cases.push(
    ['two-lines', 'no root', lines(ORIGIN, '12345')],
    ['one-line', 'the origin alone', lines(ORIGIN)],
    ['extension', 'our origins have no extension lines', lines(ORIGIN, '12345', b64, 'extension')],
    ['extension-empty', 'an empty fourth line', lines(ORIGIN, '12345', b64, '')],
    ['swapped', 'size and root exchanged', lines(ORIGIN, b64, '12345')],
  )
  return cases
}

function refusedOrigins() {
  const b64 = base64(ROOT)
  return [
    ['bom', 'a byte order mark', `\ufeff${ORIGIN}`],
    ['upper-case', 'upper case', ORIGIN.toUpperCase()],
    ['slash', 'a slash at the end', `${ORIGIN}/`],
    ['name-alone', 'without longshore/', formatName(NAME)],
    ['foreign', 'a log of somebody else', 'example.com/log'],
    [
      'spare-bits',
      'another spelling of the name',
      ORIGIN.slice(0, -1) + String.fromCharCode(ORIGIN.charCodeAt(ORIGIN.length - 1) + 1),
    ],
  ].map(([id, comment, origin]) => [id, comment, `${origin}\n12345\n${b64}\n`])
}

function otherOrigins() {
  const lines = (name, branch) => checkpointText(formatOrigin(name, branch), 12345, ROOT)
  return [
    ['other-capsule', 'the origin of another capsule', lines(derived('name', 32), MAIN)],
    ['branch', 'the origin of a branch', lines(NAME, BRANCH)],
  ]
}

/** [id, comment, note] of bytes that are no signed note at all. */
function refusedNotes() {
  const line = ed25519Line(ORIGIN, WRITER, TEXT)
  const good = note(TEXT, line)
  const blob = concat(keyId(ORIGIN, TYPE_ED25519, WRITER.publicKey), WRITER.sign(utf8(TEXT)))
  const b64 = base64(blob)
  const withLine = (text) => note(TEXT, text)
  return [
    ['empty', 'nothing', ''],
    ['text-only', 'no signatures', TEXT],
    ['no-signature', 'the blank line and no signature', `${TEXT}\n`],
    ['no-blank', 'no blank line', TEXT + line],
    ['no-newline', 'the last line without its end', good.slice(0, -1)],
    ['blank-end', 'a blank line at the end', `${good}\n`],
    ['text-end', 'text after the signatures', `${good}more\n`],
    ['crlf', 'line ends of DOS', good.replaceAll('\n', '\r\n')],
    ['tab', 'a control character', good.replace('12345', '12345\t')],
    ['nul', 'NUL', good.replace('12345', '1234\u00005')],
    ['not-utf8', 'bytes that are not UTF-8', concat(utf8(TEXT), unhex('ff0a'), utf8(line))],
    ['hyphen', 'a hyphen instead of the dash', withLine(line.replace('\u2014', '-'))],
    ['en-dash', 'an en dash', withLine(line.replace('\u2014', '\u2013'))],
    ['no-space', 'no space after the dash', withLine(line.replace('\u2014 ', '\u2014'))],
    ['two-spaces', 'two spaces', withLine(line.replace('\u2014 ', '\u2014  '))],
    ['space-end', 'a space at the end of the line', withLine(line.replace('\n', ' \n'))],
    ['no-name', 'no key name', withLine(`\u2014  ${b64}\n`)],
    ['name-plus', 'a plus in the key name', withLine(`\u2014 a+b ${b64}\n`)],
    ['name-nbsp', 'a Unicode space in the key name', withLine(`\u2014 a\u00a0b ${b64}\n`)],
    [
      'unpadded',
      'base64 without padding',
      withLine(`\u2014 ${ORIGIN} ${base64(filled(70, 1)).replace('==', '')}\n`),
    ],
    [
      'urlsafe',
      'base64url',
      withLine(`\u2014 ${ORIGIN} ${base64(filled(69, 0xff)).replaceAll('/', '_')}\n`),
    ],
    [
      'spare-bits',
      'base64 with spare bits',
      withLine(`\u2014 x ${base64(filled(67, 0)).slice(0, -2)}B=\n`),
    ],
    ['id-only', 'a key id without a signature', withLine(signatureLine(ORIGIN, blob.slice(0, 4)))],
    ['short', 'less than a key id', withLine(signatureLine(ORIGIN, blob.slice(0, 3)))],
    [
      'many',
      'three hundred signature lines',
      note(TEXT, line, ...Array(300).fill(ed25519Line('example.com/x', key('x'), TEXT))),
    ],
    [
      'huge',
      'a line of a hundred thousand characters',
      note(`${TEXT}${'x'.repeat(100000)}\n`, line),
    ],
  ]
}

function refusedSignatures() {
  const signature = WRITER.sign(utf8(TEXT))
  const id = keyId(ORIGIN, TYPE_ED25519, WRITER.publicKey)
  const withBlob = (blob) => note(TEXT, signatureLine(ORIGIN, blob))
  const other = checkpointText(ORIGIN, 12346, ROOT)
  return [
    ['flip-r', 'a bit of R', withBlob(concat(id, flipBit(signature, 0)))],
    ['flip-s', 'a bit of S', withBlob(concat(id, flipBit(signature, 33)))],
    ['length-63', 'a byte of the signature missing', withBlob(concat(id, signature.slice(0, 63)))],
    ['length-65', 'a byte more', withBlob(concat(id, signature, filled(1, 0)))],
    [
      'other-key',
      'signed by another key under our key id',
      withBlob(concat(id, key('stranger').sign(utf8(TEXT)))),
    ],
    [
      'stranger',
      'only a stranger signed',
      note(TEXT, ed25519Line('example.com/x', key('stranger'), TEXT)),
    ],
    [
      'key-id',
      'a bit of the key id: then nobody known has signed',
      withBlob(concat(flipBit(id, 0), signature)),
    ],
    [
      'key-name',
      'another key name: then nobody known has signed',
      note(TEXT, signatureLine(`${ORIGIN}x`, concat(id, signature))),
    ],
    [
      'other-size',
      'the signature of another size',
      note(TEXT, signatureLine(ORIGIN, concat(id, WRITER.sign(utf8(other))))),
    ],
    [
      'without-newline',
      'signed without the last line end',
      withBlob(concat(id, WRITER.sign(utf8(TEXT.slice(0, -1))))),
    ],
    [
      'with-blank',
      'signed with the blank line',
      withBlob(concat(id, WRITER.sign(utf8(`${TEXT}\n`)))),
    ],
  ]
}

function refusedSecondLines() {
  const signature = WRITER.sign(utf8(TEXT))
  const line = ed25519Line(ORIGIN, WRITER, TEXT)
  const late = cosignatureLine(ORIGIN, WRITER, TEXT, TIME_S)
  const id = keyId(ORIGIN, TYPE_ED25519, WRITER.publicKey)
  const cosignatureId = keyId(ORIGIN, TYPE_COSIGNATURE, WRITER.publicKey)
  const heartbeat = WRITER.sign(utf8(`cosignature/v1\ntime ${TIME_S}\n${TEXT}`))
  return [
    ['heartbeat-only', 'a heartbeat is no signature of the head', note(TEXT, late)],
    [
      'second-wrong',
      'a good line, then a wrong one of the same key',
      note(TEXT, line, signatureLine(ORIGIN, concat(id, filled(64, 0)))),
    ],
    [
      'heartbeat-flip',
      'a good signature and a wrong heartbeat',
      note(
        TEXT,
        line,
        signatureLine(ORIGIN, concat(cosignatureId, bigEndian(TIME_S, 8), flipBit(heartbeat, 3))),
      ),
    ],
    [
      'heartbeat-time',
      'a heartbeat with another time',
      note(
        TEXT,
        line,
        signatureLine(ORIGIN, concat(cosignatureId, bigEndian(TIME_S + 1, 8), heartbeat)),
      ),
    ],
    [
      'heartbeat-plain',
      'the signature of the head in the place of a heartbeat',
      note(
        TEXT,
        line,
        signatureLine(ORIGIN, concat(cosignatureId, bigEndian(TIME_S, 8), signature)),
      ),
    ],
  ]
}

function refusedHeartbeats() {
  const line = ed25519Line(ORIGIN, WRITER, TEXT)
  const id = keyId(ORIGIN, TYPE_COSIGNATURE, WRITER.publicKey)
  const blob = (bytes) => note(TEXT, line, signatureLine(ORIGIN, concat(id, bytes)))
  const heartbeat = WRITER.sign(utf8(`cosignature/v1\ntime ${TIME_S}\n${TEXT}`))
  return [
    ['no-time', 'a heartbeat without its time', blob(heartbeat)],
    ['longer', 'a byte more', blob(concat(bigEndian(TIME_S, 8), heartbeat, filled(1, 0)))],
    ['time-2-53', 'a time above 2^53 - 1', blob(concat(bigEndian(2n ** 53n, 8), heartbeat))],
  ]
}

function addVerifierKeys(file) {
  const good = verifierKey(ORIGIN, WRITER.publicKey)
  file.valid('vkey-writer', 'the key that signs checkpoints', {
    kind: 'vkey',
    vkey: good,
    keyName: ORIGIN,
    type: 1,
    key: WRITER.publicKey,
  })
  file.valid('vkey-witness', 'a cosigner', {
    kind: 'vkey',
    vkey: verifierKey(WITNESS_NAME, WITNESS.publicKey, TYPE_COSIGNATURE),
    keyName: WITNESS_NAME,
    type: 4,
    key: WITNESS.publicKey,
  })
  const [name, id, material] = good.split('+')
  const typed = (type, publicKey) => verifierKey(ORIGIN, publicKey, type)
  for (const [case_, comment, vkey] of [
    ['empty', 'nothing', ''],
    ['two-parts', 'no key', `${name}+${id}`],
    ['id-wrong', 'an id that does not fit', `${name}+00000000+${material}`],
    ['id-upper', 'the id in upper case', `${name}+${id.toUpperCase()}+${material}`],
    ['id-short', 'seven digits', `${name}+${id.slice(1)}+${material}`],
    ['name-other', 'the id of another name', `${name}x+${id}+${material}`],
    ['no-name', 'no name', good.slice(name.length)],
    ['space', 'a space in the name', verifierKey('a b', WRITER.publicKey)],
    ['material-padded', 'base64 with padding that is not needed', `${good}=`],
    ['newline', 'a line end', `${good}\n`],
    ['key-31', 'a key of 31 bytes', typed(1, WRITER.publicKey.slice(1))],
    ['key-33', 'a key of 33 bytes', typed(1, concat(WRITER.publicKey, filled(1, 0)))],
  ]) {
    file.invalid(`bad-vkey-${case_}`, comment, 'BAD_KEY', { kind: 'vkey', vkey })
  }
  file.invalid(
    'bad-vkey-type',
    'a type of signature that this version does not know',
    'CRYPTO_UNSUPPORTED',
    {
      kind: 'vkey',
      vkey: typed(2, WRITER.publicKey),
    },
  )
  file.invalid('bad-vkey-small-order', 'a key of small order', 'BAD_KEY', {
    kind: 'vkey',
    vkey: typed(1, filled(32, 0).with(0, 1)),
  })
}

export function checkpointVectors() {
  const file = new VectorFile(
    'checkpoint',
    "Signed checkpoints of capsules. kind open: note (or noteBytes, if not UTF-8), opened for name, branch and writerKey, gives size, root and signature; heartbeatS is the time of the writer's own cosignature, cosigner another one. kind vkey: a C2SP verifier key.",
  )
  addTexts(file)
  addNotes(file)
  addCosigned(file)
  const refuse = (group, code, cases) => {
    for (const [id, comment, bytes] of cases) {
      file.invalid(`bad-${group}-${id}`, comment, code, { kind: 'open', ...noteFields(bytes) })
    }
  }
  const signAll = (cases) => cases.map(([id, comment, text]) => [id, comment, signed(text)])
  refuse('text', 'CHECKPOINT_INVALID', signAll(refusedTexts()))
  refuse('origin', 'CHECKPOINT_INVALID', signAll(refusedOrigins()))
  refuse('origin', 'NAME_MISMATCH', signAll(otherOrigins()))
  refuse('note', 'NOTE_INVALID', refusedNotes())
  refuse('signature', 'BAD_SIGNATURE', [...refusedSignatures(), ...refusedSecondLines()])
  refuse('writer', 'CHECKPOINT_INVALID', [
    [
      'twice',
      'the same good line twice',
      note(TEXT, ...Array(2).fill(ed25519Line(ORIGIN, WRITER, TEXT))),
    ],
  ])
  refuse('heartbeat', 'NOTE_INVALID', refusedHeartbeats())
  addVerifierKeys(file)
  return file
}
