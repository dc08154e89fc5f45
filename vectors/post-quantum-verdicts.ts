/**
 * Prints what this process says to each case of vectors/post-quantum.json and of
 * vectors/ml-dsa-44.json, as JSON. Run by `post-quantum.test.ts`, once with the conditions of Node
 * and once with those of a browser, whose ML-DSA-44 is another program.
 *
 * @module
 */
import { decodeMlDsa44PublicKey, isLongshoreError, verifyMlDsa44 } from '@longshore/capsule'
import { openPostQuantum, type PostQuantumFields } from './post-quantum-case.ts'
import { bytesOf, readVectors } from './read-vectors.ts'

function judge(verify: () => unknown): string {
  try {
    verify()
    return 'accepted'
  } catch (error) {
    if (isLongshoreError(error)) return error.code
    throw error
  }
}

/** OpenSSL's verifier is in this process if the native library of the other algorithm is. */
function backendName(): string {
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] }
  return sharedObjects.some((path) => path.includes('sodium')) ? 'node:crypto' : 'noble'
}

const signatures = readVectors<Record<'key' | 'message' | 'signature', string>>('ml-dsa-44')
const roles = readVectors<PostQuantumFields>('post-quantum')
const verdicts = [
  ...signatures.map(({ id, key, message, signature }) => {
    const verify = (): void =>
      verifyMlDsa44(decodeMlDsa44PublicKey(bytesOf(key)), bytesOf(message), bytesOf(signature))
    return [`ml-dsa-44 ${id}`, judge(verify)]
  }),
  ...roles.map((vector) => [`post-quantum ${vector.id}`, judge(() => openPostQuantum(vector))]),
]
console.log(JSON.stringify({ backend: backendName(), ...Object.fromEntries(verdicts) }))
