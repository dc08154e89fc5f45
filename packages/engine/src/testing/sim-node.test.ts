import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { createCapsuleFixture } from './capsule-fixture.ts'
import { Prng } from './prng.ts'
import { SignedBranch } from './signed-branch.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode } from './sim-node.ts'

function createScene() {
  const prng = new Prng(9)
  const network = new SimNetwork(prng.child())
  const deaths: string[] = []
  const onDeath = ({ name }: SimNode): void => void deaths.push(name)
  const node = new SimNode(network, prng, 'node', { onDeath })
  const capsule = createCapsuleFixture(prng)
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  node.commit([capsule.manifest])
  const outcomes: string[] = []
  const append = (): void =>
    node.request({
      cut: () => ({
        ops: [branch.append(1)],
        durable: () => void outcomes.push('durable'),
        committed: () => void outcomes.push('committed'),
        failed: ({ message }) => void outcomes.push(message),
      }),
    })
  const size = (): number => node.store.state(capsule.name, MAIN_BRANCH)?.size ?? 0
  return { node, network, deaths, outcomes, append, size }
}

test('SM11: a commit takes time, and a crash before its sync has ended answers nobody', () => {
  const { node, network, outcomes, append, size } = createScene()
  append()
  network.queue.runUntil(100)
  assert.deepEqual(outcomes, [])
  node.restart('kill')
  network.queue.runUntil(10_000)
  assert.deepEqual(outcomes, [])
  assert.ok(size() <= 1)
})

test('SM11 SM12: a node dies in a call to its disk; what its life had planned never happens', () => {
  const { node, network, deaths, outcomes, append, size } = createScene()
  node.after(5000, () => outcomes.push('an earlier life'))
  append()
  node.disk.crashAt(node.disk.counts.operations, 'before')
  network.queue.runUntil(1000)
  assert.deepEqual(deaths, ['node'])
  assert.equal(node.isUp, false)
  node.start()
  network.queue.runUntil(20_000)
  assert.deepEqual(outcomes, [])
  assert.equal(size(), 0)
})

test('SM12: a node whose disk refuses it while it starts dies, and starts later', () => {
  const { node, deaths } = createScene()
  node.crash('power')
  // A planned fault hits the operation with its number: some operation of the next start.
  node.disk.faultAt(node.disk.counts.operations, 'IO')
  node.start()
  assert.deepEqual([deaths, node.isUp], [['node'], false])
  node.start()
  assert.equal(node.isUp, true)
})

test('SM12: a power loss is another boot, a kill is not', () => {
  const { node } = createScene()
  const { bootId } = node.runtime
  node.restart('kill')
  assert.equal(node.runtime.bootId, bootId)
  node.restart('power')
  assert.notEqual(node.runtime.bootId, bootId)
})
