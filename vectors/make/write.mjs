/**
 * Writes every vector file: `node vectors/make/write.mjs [directory]`.
 *
 * Seeds, times and salts are fixed, so a second run writes the same bytes;
 * `vectors/regenerate.test.ts` compares them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cborVectors } from './cbor-vectors.mjs'
import { certVectors } from './cert-vectors.mjs'
import { checkpointVectors } from './checkpoint-vectors.mjs'
import { ed25519Vectors } from './ed25519-vectors.mjs'
import { evidenceVectors } from './evidence-vectors.mjs'
import { frameVectors } from './frame-vectors.mjs'
import { headVectors } from './head-vectors.mjs'
import { headerVectors } from './header-vectors.mjs'
import { manifestVectors } from './manifest-vectors.mjs'
import { messageVectors } from './message-vectors.mjs'
import { mlDsaVectors } from './ml-dsa-vectors.mjs'
import { nameVectors } from './name-vectors.mjs'
import { packageVectors } from './package-vectors.mjs'
import { postQuantumVectors } from './post-quantum-vectors.mjs'
import { consistencyVectors, inclusionVectors, subtreeVectors } from './proof-vectors.mjs'
import { rangeVectors } from './range-vectors.mjs'
import { receiptVectors } from './receipt-vectors.mjs'
import { sessionVectors } from './session-vectors.mjs'
import { ticketVectors } from './ticket-vectors.mjs'
import { treeVectors } from './tree-vectors.mjs'

const FILES = [
  cborVectors,
  nameVectors,
  ed25519Vectors,
  mlDsaVectors,
  manifestVectors,
  headerVectors,
  treeVectors,
  inclusionVectors,
  consistencyVectors,
  subtreeVectors,
  checkpointVectors,
  headVectors,
  certVectors,
  receiptVectors,
  packageVectors,
  rangeVectors,
  evidenceVectors,
  sessionVectors,
  postQuantumVectors,
  frameVectors,
  ticketVectors,
  messageVectors,
]

const directory = process.argv[2] ?? join(import.meta.dirname, '..')
mkdirSync(directory, { recursive: true })
for (const make of FILES) {
  const file = make()
  writeFileSync(join(directory, file.fileName), file.text())
}
