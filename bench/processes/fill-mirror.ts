/**
 * Puts capsules of one entry straight into the home of a new mirror: `fill-mirror.ts DATA COUNT`.
 *
 * All are signed, and the mirror has the right to serve them. Only its head log says nothing of
 * them, which costs an idle mirror nothing.
 *
 * @module
 */
import {
  createSigner,
  encodeCertChain,
  MAIN_BRANCH,
  type Manifest,
  RightEdge,
  type Signer,
  signAdCert,
  signHead,
  signManifest,
} from '@longshore/capsule'
import { createNodeRuntime, holdHome } from '@longshore/client/node'
import { EntryBatchBuilder, type StoreOp } from '@longshore/engine'
import { createChainNotes, createMirrorNote } from '@longshore/engine/testing'
import { LongshoreNode } from '@longshore/node'
import { answerCommands } from './command.ts'

const TOGETHER = 256
const PAYLOAD_BYTES = 100
const DAY_S = 86_400

const [data = '', count = ''] = process.argv.slice(2)
const runtime = createNodeRuntime()
const [owner, writer] = [
  createSigner(runtime.randomBytes(32)),
  createSigner(runtime.randomBytes(32)),
]

function manifestOf(type: 'capsule' | 'person', keys: Manifest['keys']): Manifest {
  return {
    ...{ type, version: 1, mode: 'strict', timeUs: 0, blind: false, authority: null, keys },
    nonce: runtime.randomBytes(16),
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' },
    ...{ labels: {}, crit: [], ext: new Map() },
  }
}

function key(use: 'owner' | 'writer', { publicKey }: Signer): Manifest['keys'][number] {
  return { alg: 'ed25519', key: publicKey, use }
}

const node = await LongshoreNode.open({ data, listen: [], join: [], roles: ['mirror'] })
const { name: self } = node
await node.close()

const person = signManifest(manifestOf('person', [key('owner', owner)]), owner)
const nowS = Math.floor(runtime.nowUs() / 1_000_000)
const cert = signAdCert(
  {
    ...{ issuer: person.name, subject: self, parent: null, revocation: null, stalenessS: 0 },
    ...{ notBeforeS: nowS - DAY_S, notAfterS: nowS + DAY_S, serial: runtime.randomBytes(16) },
    ...{ depth: 0, capsules: 'all', rights: ['advertise', 'serve'], domains: 'any' },
  },
  owner,
)
const chain = encodeCertChain({ certs: [cert], manifests: [person.signed] })

function createCapsule(): StoreOp[] {
  const manifest = manifestOf('capsule', [key('owner', owner), key('writer', writer)])
  const { name, signed } = signManifest(manifest, owner)
  const builder = new EntryBatchBuilder()
  builder.add(0, runtime.nowUs(), runtime.randomBytes(PAYLOAD_BYTES))
  const entries = builder.build()
  const edge = RightEdge.empty()
  const tiles = edge.append(entries.leafHashes)
  const branch = MAIN_BRANCH
  const head = signHead({ name, branch, epoch: 0, size: edge.size, root: edge.root() }, writer)
  const note = { timeS: nowS, size: edge.size, heartbeat: undefined, holes: [] }
  return [
    { type: 'manifest', name, signed },
    ...createChainNotes(name, chain),
    { type: 'append', name, branch, start: 0, entries, tiles, head },
    createMirrorNote(name, branch, note),
  ]
}

const held = await holdHome({ path: data, runtime, onCommit: () => {} })
for (let made = 0; made < Number(count); made += TOGETHER) {
  const length = Math.min(TOGETHER, Number(count) - made)
  await held.driver.submit(Array.from({ length }, createCapsule).flat())
}
await held.close()

answerCommands({ cpu: () => undefined })
