/**
 * Puts capsules of one entry straight into the home of a new mirror: `fill-mirror.ts DATA COUNT`.
 *
 * All are signed, and the mirror has the right to serve them. Only its head log says nothing of
 * them, which costs an idle mirror nothing.
 *
 * @module
 */
import { createSigner, encodeCertChain, MAIN_BRANCH, RightEdge, signHead } from '@longshore/capsule'
import { createNodeRuntime, holdHome } from '@longshore/client/node'
import { EntryBatchBuilder, type StoreOp } from '@longshore/engine'
import { createChainNotes, createMirrorNote } from '@longshore/engine/testing'
import { LongshoreNode } from '@longshore/node'
import { answerCommands } from './command.ts'
import { Owner } from './owner.ts'

const TOGETHER = 256
const PAYLOAD_BYTES = 100

const [data = '', count = ''] = process.argv.slice(2)
const runtime = createNodeRuntime()
const [owner, writer] = [new Owner(runtime), createSigner(runtime.randomBytes(32))]

const node = await LongshoreNode.open({ data, listen: [], join: [], roles: ['mirror'] })
const { name: self } = node
await node.close()

const chain = encodeCertChain(owner.grant(self))
const timeS = Math.floor(runtime.nowUs() / 1_000_000)

function createCapsule(): StoreOp[] {
  const { name, signed } = owner.createCapsule(writer)
  const builder = new EntryBatchBuilder()
  builder.add(0, runtime.nowUs(), runtime.randomBytes(PAYLOAD_BYTES))
  const entries = builder.build()
  const edge = RightEdge.empty()
  const tiles = edge.append(entries.leafHashes)
  const branch = MAIN_BRANCH
  const head = signHead({ name, branch, epoch: 0, size: edge.size, root: edge.root() }, writer)
  const note = { timeS, size: edge.size, heartbeat: undefined, holes: [] }
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
