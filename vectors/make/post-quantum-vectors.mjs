/** Roles with two keys: manifests, heads, checkpoints, receipts, evidence, whole and stripped. */
import { postQuantumCheckpoints, postQuantumHeads } from './post-quantum-heads.mjs'
import { postQuantumManifests } from './post-quantum-manifests.mjs'
import { postQuantumEvidence, postQuantumReceipts } from './post-quantum-receipts.mjs'
import { VectorFile } from './vector-file.mjs'

export function postQuantumVectors() {
  const file = new VectorFile(
    'post-quantum',
    'Roles with an Ed25519 and an ML-DSA-44 key, which sign together. kind manifest: signed opens to name. kind head: bytes is a compact head that the writer signed for the capsule name. kind checkpoint: note opens under the writer (heartbeatS where it has one). kind receipt: receipt verifies for name (cosigners that count). kind evidence: bytes convicts the writer of name. Invalid cases fail with code.',
  )
  postQuantumManifests(file)
  postQuantumHeads(file)
  postQuantumCheckpoints(file)
  postQuantumReceipts(file)
  postQuantumEvidence(file)
  return file
}
