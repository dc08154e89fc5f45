import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBase64 } from '../bytes/base64.ts'
import { asHash } from '../bytes/brands.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { formatHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { sha256 } from '../crypto/sha256.ts'
import { createSigner } from '../crypto/signer.ts'
import { formatCheckpointText } from './checkpoint-text.ts'
import {
  cosignatureMessage,
  decodeTimestampedSignature,
  encodeTimestampedSignature,
  subtreeLine,
  subtreeMessage,
} from './cosignature.ts'
import { formatNote, type NoteSignature, parseNote } from './note.ts'
import {
  formatVkey,
  NOTE_COSIGNATURE,
  NOTE_COSIGNATURE_ML_DSA_44,
  NOTE_ED25519,
  type NoteKey,
  noteKeyId,
  parseVkey,
} from './note-key.ts'
import { verifyNote } from './verify-note.ts'

// Vkey and note from the text of C2SP signed-note.
const EXAMPLE_VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const EXAMPLE_NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`
const TEXT = 'longshore/example\n1\n'
const SIGNER = createSigner(new Uint8Array(32).fill(9))
const KEY: NoteKey = { name: 'longshore/example', type: NOTE_ED25519, key: SIGNER.publicKey }

function signText(key: NoteKey, text: string): NoteSignature {
  const signature = SIGNER.sign(encodeUtf8(text))
  return { keyName: key.name, keyId: noteKeyId(key), signature }
}

test('CP1 CP2 CP7: the example of C2SP signed-note', () => {
  const key = parseVkey(EXAMPLE_VKEY)
  assert.equal(key.name, 'example.com/foo')
  assert.equal(key.type, NOTE_ED25519)
  assert.equal(noteKeyId(key), 0x530d903a)
  assert.equal(formatVkey(key), EXAMPLE_VKEY)
  const note = parseNote(EXAMPLE_NOTE)
  assert.equal(note.text, 'This is an example message.\n')
  assert.equal(formatNote(note), EXAMPLE_NOTE)
  const { verified, unknown } = verifyNote(note, [key])
  assert.equal(verified.length, 1)
  assert.equal(unknown.length, 0)
})

test('CP2 CP3: a vkey with another spelling, id, type or length of key', () => {
  const [name, id, key] = EXAMPLE_VKEY.split('+') as [string, string, string]
  const typed = (type: number, byteLength: number): string => {
    const material = formatBase64(new Uint8Array(1 + byteLength).fill(type, 0, 1).fill(3, 1))
    return `${name}+${id}+${material}`
  }
  const wrong: [vkey: string, code: string][] = [
    ['', 'BAD_KEY'],
    [name, 'BAD_KEY'],
    [`${name}+${id}`, 'BAD_KEY'],
    [`+${id}+${key}`, 'BAD_KEY'],
    [`a b+${id}+${key}`, 'BAD_KEY'],
    [`${name}+530D903A+${key}`, 'BAD_KEY'],
    [`${name}+530d903b+${key}`, 'BAD_KEY'],
    [`${name}+${id}+${key} `, 'BAD_KEY'],
    [`${name}+${id}+${key}=`, 'BAD_KEY'],
    [`${name}+${id}+`, 'BAD_KEY'],
    [`${name}x+${id}+${key}`, 'BAD_KEY'],
    [typed(0x01, 31), 'BAD_KEY'],
    [typed(0x04, 33), 'BAD_KEY'],
    [typed(0x06, 1311), 'BAD_KEY'],
    [typed(0x02, 32), 'CRYPTO_UNSUPPORTED'],
    [typed(0xff, 32), 'CRYPTO_UNSUPPORTED'],
    [`${'a'.repeat(5000)}+${id}+${key}`, 'BAD_KEY'],
  ]
  for (const [vkey, code] of wrong) assert.throws(() => parseVkey(vkey), { code }, vkey)
  const smallOrder = { ...KEY, key: Uint8Array.of(1, ...new Uint8Array(31)) }
  assert.throws(() => parseVkey(formatVkey(smallOrder)), { code: 'BAD_KEY' })
})

test('CP1 CP2 CP3: names and keys that no vkey has, under their own key id', () => {
  const vkeyOf = (name: string, material: Uint8Array): string => {
    const id = sha256(concatBytes(encodeUtf8(`${name}\n`), material)).subarray(0, 4)
    return `${name}+${formatHex(id)}+${formatBase64(material)}`
  }
  const material = Uint8Array.of(NOTE_ED25519, ...SIGNER.publicKey)
  assert.equal(parseVkey(vkeyOf('example.com/é', material)).name, 'example.com/é')
  for (const character of [...'\0\u0001\t\r\u001f \u0085\u00a0\u1680\u2003\u2028\u202f\u3000']) {
    const vkey = vkeyOf(`a${character}b`, material)
    assert.throws(() => parseVkey(vkey), { code: 'BAD_KEY' }, JSON.stringify(character))
  }
  const lengths: readonly (readonly [type: number, keyBytes: number, isAccepted: boolean])[] = [
    [NOTE_COSIGNATURE_ML_DSA_44, 1311, false],
    [NOTE_COSIGNATURE_ML_DSA_44, 1312, true],
    [NOTE_COSIGNATURE_ML_DSA_44, 1313, false],
    [NOTE_COSIGNATURE, 33, false],
  ]
  for (const [type, keyBytes, isAccepted] of lengths) {
    const vkey = vkeyOf('w', new Uint8Array(1 + keyBytes).fill(3).with(0, type))
    if (isAccepted) assert.equal(parseVkey(vkey).key.length, keyBytes)
    else assert.throws(() => parseVkey(vkey), { code: 'BAD_KEY' }, `${type} ${keyBytes}`)
  }
})

test('CP2: the name in a vkey has at most 255 bytes', () => {
  for (const [name, isAccepted] of [
    ['x'.repeat(255), true],
    ['x'.repeat(256), false],
    ['é'.repeat(127), true],
    ['é'.repeat(128), false],
  ] as const) {
    const vkey = formatVkey({ ...KEY, name })
    if (isAccepted) assert.equal(parseVkey(vkey).name, name)
    else assert.throws(() => parseVkey(vkey), { code: 'BAD_KEY' })
  }
})

test('CP6: lines of others that make a note too long are refused, not believed to be ours', () => {
  const long = { keyName: 'other.example', keyId: 1, signature: new Uint8Array(2000) }
  const signatures = Array.from({ length: 60 }, () => long)
  assert.throws(() => formatNote({ text: TEXT, signatures }), { code: 'NOTE_INVALID' })
})

test('CP1 CP3: one key has another id for each name and each type', () => {
  const types = [NOTE_ED25519, NOTE_COSIGNATURE, NOTE_COSIGNATURE_ML_DSA_44] as const
  const ids = types.flatMap((type) =>
    ['a', 'b'].map((name) => noteKeyId({ name, type, key: SIGNER.publicKey })),
  )
  assert.equal(new Set(ids).size, 6)
  const mlDsa: NoteKey = {
    name: 'w',
    type: NOTE_COSIGNATURE_ML_DSA_44,
    key: new Uint8Array(1312).fill(5),
  }
  assert.deepEqual(parseVkey(formatVkey(mlDsa)), mlDsa)
})

test('CP4: text with empty lines is divided at the last one', () => {
  const text = 'longshore/a\n\n\nb\n'
  const note = formatNote({ text, signatures: [signText(KEY, text)] })
  assert.equal(parseNote(note).text, text)
  assert.equal(verifyNote(parseNote(note), [KEY]).verified.length, 1)
})

test('CP4 CP5: every other spelling of a note is refused', () => {
  const note = formatNote({ text: TEXT, signatures: [signText(KEY, TEXT)] })
  parseNote(note)
  const wrong: [why: string, note: string][] = [
    ['nothing', ''],
    ['only text', TEXT],
    ['no signature', `${TEXT}\n`],
    ['no empty line', note.replace('\n\n', '\n')],
    ['no last newline', note.slice(0, -1)],
    ['an empty line at the end', `${note}\n`],
    ['carriage returns', note.replaceAll('\n', '\r\n')],
    ['a tab', note.replace('example', 'exam\tple')],
    ['a zero byte', note.replace('example', 'exam\0ple')],
    ['a lone surrogate', note.replace('example', 'exam\ud800ple')],
    ['a hyphen for the dash', note.replace('— ', '- ')],
    ['no space after the dash', note.replace('— ', '—')],
    ['no key name', note.replace('— longshore/example ', '—  ')],
    ['a plus in the key name', note.replace('— longshore/example', '— longshore+example')],
    ['a wide space in the key name', note.replace('— longshore/', '— longshore\u3000')],
    ['no base64', note.replace(/ [^ ]+\n$/, '\n')],
    ['two spaces before the base64', note.replace('— longshore/example ', '— longshore/example  ')],
    ['a space at the end', note.replace(/\n$/, ' \n')],
    ['base64 without padding', note.replace(/=+\n$/, '\n')],
    ['base64 of another alphabet', note.replace(/[A-Za-z0-9](?=[^ ]*\n$)/, '_')],
    ['a key id alone', note.replace(/ [^ ]+\n$/, ' AAAAAA==\n')],
    ['text after the signatures', `${note}text\n`],
  ]
  for (const [why, altered] of wrong) {
    assert.notEqual(altered, note, why)
    assert.throws(() => parseNote(altered), { code: 'NOTE_INVALID' }, why)
  }
})

test('CP4: the last line ends in a newline, however many lines there are', () => {
  const note = formatNote({ text: TEXT, signatures: [signText(KEY, TEXT), signText(KEY, TEXT)] })
  assert.equal(parseNote(note).signatures.length, 2)
  assert.throws(() => parseNote(note.slice(0, -1)), { code: 'NOTE_INVALID' })
})

test('CP5: no control character but the newline, in any line', () => {
  const text = 'longshore/example\n1\nanything at all\n'
  for (let code = 0; code < 0x20; code++) {
    const altered = text.replace(' at', `${String.fromCharCode(code)}at`)
    const note = formatNote({ text: altered, signatures: [signText(KEY, text)] })
    if (code === 0x0a) assert.equal(parseNote(note).text, altered)
    else assert.throws(() => parseNote(note), { code: 'NOTE_INVALID' }, `U+${code.toString(16)}`)
  }
})

test('CP6: 64 signatures and 64 KiB are accepted, more is not', () => {
  const line = signText(KEY, TEXT)
  const notes = (count: number): string =>
    formatNote({ text: TEXT, signatures: Array.from({ length: count }, () => line) })
  assert.equal(parseNote(notes(64)).signatures.length, 64)
  assert.throws(() => parseNote(notes(65)), { code: 'NOTE_INVALID' })

  // Sixteen ML-DSA-44 cosignatures, the most that C2SP asks for, fit.
  const large = { keyName: 'w.example/1', keyId: 7, signature: new Uint8Array(8 + 2420) }
  const sixteen = formatNote({ text: TEXT, signatures: Array.from({ length: 16 }, () => large) })
  assert.equal(parseNote(sixteen).signatures.length, 16)

  const padding = 65_536 - encodeUtf8(notes(1)).length
  const longest = `${'é'.repeat(Math.floor(padding / 2))}${'e'.repeat(padding % 2)}${notes(1)}`
  assert.equal(encodeUtf8(longest).length, 65_536)
  parseNote(longest)
  assert.throws(() => parseNote(`e${longest}`), { code: 'NOTE_INVALID' })
})

test('CP7 CP8: unknown signatures are ignored, a bad one by a known key is not', () => {
  const good = signText(KEY, TEXT)
  const bad = { ...good, signature: good.signature.with(5, (good.signature[5] as number) ^ 1) }
  const verify = (...signatures: NoteSignature[]): [verified: number, unknown: number] => {
    const note = parseNote(formatNote({ text: TEXT, signatures }))
    const { verified, unknown } = verifyNote(note, [KEY])
    return [verified.length, unknown.length]
  }
  assert.deepEqual(verify(good), [1, 0])
  assert.deepEqual(verify({ ...bad, keyName: 'other' }, good), [1, 1])
  assert.deepEqual(verify(good, { ...bad, keyId: good.keyId ^ 1 }), [1, 1])
  assert.deepEqual(verify({ ...good, keyId: 0 }), [0, 1])
  assert.throws(() => verify(bad), { code: 'BAD_SIGNATURE' })
  assert.throws(() => verify(good, bad), { code: 'BAD_SIGNATURE' })
  const short = { ...good, signature: good.signature.slice(0, 63) }
  assert.throws(() => verify(short), { code: 'BAD_SIGNATURE' })
})

test('CP14: a cosignature covers its time and the whole text', () => {
  const key: NoteKey = { ...KEY, type: NOTE_COSIGNATURE }
  const message = cosignatureMessage(TEXT, 1_679_315_147)
  assert.deepEqual(message, encodeUtf8(`cosignature/v1\ntime 1679315147\n${TEXT}`))
  const signature = SIGNER.sign(message)
  const line = (timeS: number): NoteSignature => ({
    keyName: key.name,
    keyId: noteKeyId(key),
    signature: encodeTimestampedSignature({ timeS, signature }),
  })
  const [verified] = verifyNote({ text: TEXT, signatures: [line(1_679_315_147)] }, [key]).verified
  assert.equal(verified?.timeS, 1_679_315_147)
  assert.deepEqual(verified?.signature, signature)
  const refuse = (text: string, timeS: number): void => {
    const note = { text, signatures: [line(timeS)] }
    assert.throws(() => verifyNote(note, [key]), { code: 'BAD_SIGNATURE' })
  }
  refuse(TEXT, 1_679_315_148)
  refuse(`${TEXT}extension\n`, 1_679_315_147)
})

test('CP15: a cosignature that was read is a copy, also from a Buffer', () => {
  const cosignature = { timeS: 7, signature: new Uint8Array(64).fill(1) }
  const bytes = Buffer.from(encodeTimestampedSignature(cosignature))
  const decoded = decodeTimestampedSignature(bytes, NOTE_COSIGNATURE)
  bytes.fill(0)
  assert.deepEqual(decoded, cosignature)
})

test('CP15: times of cosignatures are whole seconds up to 2^53 - 1', () => {
  const signature = new Uint8Array(64).fill(1)
  for (const timeS of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const bytes = encodeTimestampedSignature({ timeS, signature })
    assert.deepEqual(decodeTimestampedSignature(bytes, NOTE_COSIGNATURE), { timeS, signature })
  }
  const beyond = new Uint8Array(72)
  beyond[1] = 0x20
  for (const bytes of [beyond, new Uint8Array(71), new Uint8Array(73), new Uint8Array(0)]) {
    const decode = (): unknown => decodeTimestampedSignature(bytes, NOTE_COSIGNATURE)
    assert.throws(decode, { code: 'NOTE_INVALID' })
  }
  for (const timeS of [-1, 0.5, 2 ** 53]) {
    assert.throws(() => encodeTimestampedSignature({ timeS, signature }), {
      name: 'AssertionFailure',
    })
  }
})

test('CP15 CP16 CP19: an ML-DSA-44 cosignature of a checkpoint is verified', () => {
  const type = NOTE_COSIGNATURE_ML_DSA_44
  const { mlDsa44 } = createSigner(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2))
  assert.ok(mlDsa44 !== undefined)
  const key: NoteKey = { name: 'w.example', type, key: mlDsa44.publicKey }
  const tree = { origin: 'log.example', size: 7, root: sha256(encodeUtf8('a root')) }
  const text = formatCheckpointText(tree.origin, tree.size, tree.root)
  const lineOf = (message: Uint8Array, timeS: number): NoteSignature =>
    subtreeLine(key.name, mlDsa44.publicKey, { timeS, signature: mlDsa44.sign(message) })
  const line = lineOf(subtreeMessage(key.name, tree, 5), 5)

  assert.equal(decodeTimestampedSignature(line.signature, type).timeS, 5)
  const note = parseNote(formatNote({ text, signatures: [line] }))
  const [verified] = verifyNote(note, [key]).verified
  assert.deepEqual([verified?.key, verified?.timeS, verified?.signature.length], [key, 5, 2420])
  assert.deepEqual(verifyNote(note, []), { verified: [], unknown: [line] })

  const refuse = (code: string, bad: NoteSignature, of = text): void =>
    assert.throws(() => verifyNote({ text: of, signatures: [bad] }, [key]), { code })
  refuse('BAD_SIGNATURE', lineOf(subtreeMessage(key.name, tree, 5), 6))
  refuse('BAD_SIGNATURE', lineOf(subtreeMessage('v.example', tree, 5), 5))
  refuse('BAD_SIGNATURE', lineOf(subtreeMessage(key.name, { ...tree, size: 8 }, 5), 5))
  refuse('NOTE_INVALID', { ...line, signature: line.signature.slice(1) })
  refuse('CHECKPOINT_INVALID', line, 'a note that is no checkpoint\n')
  // What C2SP leaves out of the message may be anything.
  const extended = `${text}an extension\n`
  assert.equal(verifyNote({ text: extended, signatures: [line] }, [key]).verified.length, 1)
})

test('CP19: the message, byte by byte', () => {
  const tree = { origin: 'log', size: 2 ** 32 + 1, root: asHash(new Uint8Array(32).fill(0xab)) }
  const expected = [
    '737562747265652f76310a00',
    '0177',
    '0000000000000009',
    '036c6f67',
    '0000000000000000',
    '0000000100000001',
    'ab'.repeat(32),
  ]
  assert.equal(formatHex(subtreeMessage('w', tree, 9)), expected.join(''))
  assert.equal(subtreeMessage('w'.repeat(255), tree, 9)[12], 255)
  for (const name of ['', 'w'.repeat(256)]) {
    assert.throws(() => subtreeMessage(name, tree, 9), { code: 'NOTE_INVALID' })
  }
})
