/**
 * Prints what this process's back end says to each case of vectors/ed25519.json, as JSON. Run by
 * `ed25519.test.ts`, once with the conditions of Node and once with those of a browser.
 *
 * @module
 */
import { decodePublicKey, isLongshoreError, verifySignature } from '@longshore/capsule'
import { bytesOf, readVectors } from './read-vectors.ts'

interface Ed25519Fields {
  readonly kind: 'key' | 'signature'
  readonly key: string
  readonly message: string
  readonly signature: string
}

function judge(vector: Ed25519Fields): string {
  try {
    const key = decodePublicKey(bytesOf(vector.key))
    if (vector.kind === 'signature') {
      verifySignature(key, bytesOf(vector.message), bytesOf(vector.signature))
    }
    return 'accepted'
  } catch (error) {
    if (isLongshoreError(error)) return error.code
    throw error
  }
}

/** The native library is either in this process or it is not. */
function backendName(): string {
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] }
  return sharedObjects.some((path) => path.includes('sodium')) ? 'sodium-native' : 'noble'
}

const verdicts = readVectors<Ed25519Fields>('ed25519').map((vector) => [vector.id, judge(vector)])
console.log(JSON.stringify({ backend: backendName(), ...Object.fromEntries(verdicts) }))
