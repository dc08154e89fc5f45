/** Signed notes, checkpoints, cosignatures and verifier keys, from the C2SP texts. */
import { base64, bigEndian, concat, flipBit, hex, sha256, utf8 } from './bytes.mjs'

export const TYPE_ED25519 = 0x01
export const TYPE_COSIGNATURE = 0x04
export const TYPE_ML_DSA = 0x06

export function keyId(name, type, publicKey) {
  return sha256(utf8(`${name}\n`), Uint8Array.of(type), publicKey).slice(0, 4)
}

export function verifierKey(name, publicKey, type = TYPE_ED25519) {
  const id = hex(keyId(name, type, publicKey))
  return `${name}+${id}+${base64(concat(Uint8Array.of(type), publicKey))}`
}

export function checkpointText(origin, size, root) {
  return `${origin}\n${size}\n${base64(root)}\n`
}

/** `blob` is the key id and what follows it. */
export function signatureLine(name, blob) {
  return `\u2014 ${name} ${base64(blob)}\n`
}

export function ed25519Line(name, signer, text) {
  const id = keyId(name, TYPE_ED25519, signer.publicKey)
  return signatureLine(name, concat(id, signer.sign(utf8(text))))
}

/** Type 0x04: the time is signed together with the whole note text. */
export function cosignatureLine(name, signer, text, timeS) {
  const id = keyId(name, TYPE_COSIGNATURE, signer.publicKey)
  const signature = signer.sign(utf8(`cosignature/v1\ntime ${timeS}\n${text}`))
  return signatureLine(name, concat(id, bigEndian(timeS, 8), signature))
}

export function note(text, ...lines) {
  return `${text}\n${lines.join('')}`
}

/** In the blob of a cosignature line: key id (4 bytes), time (8), signature (64). */
export const LAST_BYTE_OF_TIME = 11

/** The line with one bit of its blob changed. */
export function alteredLine(line, byteIndex) {
  const [dash, name, blob] = line.trimEnd().split(' ')
  return `${dash} ${name} ${base64(flipBit(new Uint8Array(Buffer.from(blob, 'base64')), byteIndex))}\n`
}
