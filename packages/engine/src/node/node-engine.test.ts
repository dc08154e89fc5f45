import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { createAdChain, createAuthority } from '../testing/authorities.ts'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { SignedBranch } from '../testing/signed-branch.ts'
import { SimNetwork } from '../testing/sim-network.ts'
import { SimNode } from '../testing/sim-node.ts'
import { EPOCH_US } from '../testing/sim-runtime.ts'

const NOW_S = EPOCH_US / 1_000_000

/** A mirror and a writer that have joined a router. */
function createJoined(seed: number) {
  const prng = new Prng(seed)
  const network = new SimNetwork(prng.child())
  const router = new SimNode(network, prng, 'router', { isRouter: true })
  const mirror = new SimNode(network, prng, 'mirror', { isMirror: true })
  const writer = new SimNode(network, prng, 'writer')
  mirror.join(router)
  writer.join(router)
  network.queue.runUntil(2_000_000)
  return { prng, network, router, mirror, writer }
}

test('ND4: a writer pushes through a router to a mirror, and gets its receipt', () => {
  const { prng, network, mirror, writer } = createJoined(1)
  const capsule = createCapsuleFixture(prng, { read: 'any' })
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  writer.commit([capsule.manifest, branch.append(700)])
  const owner = createAuthority(prng, 'person', capsule.owner)
  const chain = createAdChain(prng, owner, mirror.identity.name)
  writer.publish(capsule.name, [{ mirror, chain }])
  network.queue.runUntil(5_000_000)
  const receipts = writer.news.flatMap((effect) =>
    effect.type === 'news' && effect.news.type === 'receipt' ? [effect.news] : [],
  )
  assert.equal(receipts.at(-1)?.head.size, 700)
  assert.equal(mirror.store.state(capsule.name, MAIN_BRANCH)?.size, 700)
})

test('MI21: a mirror that was away asks the others as soon as it has a link', () => {
  const prng = new Prng(4)
  const network = new SimNetwork(prng.child())
  const router = new SimNode(network, prng, 'router', { isRouter: true })
  const whole = new SimNode(network, prng, 'whole', { isMirror: true })
  const away = new SimNode(network, prng, 'away', { isMirror: true })
  const writer = new SimNode(network, prng, 'writer')
  for (const node of [whole, away, writer]) node.join(router)
  network.queue.runUntil(2_000_000)
  const capsule = createCapsuleFixture(prng, { read: 'any' })
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  writer.commit([capsule.manifest, branch.append(3)])
  const owner = createAuthority(prng, 'person', capsule.owner)
  const chains = [whole, away].map((mirror) => {
    return { mirror, chain: createAdChain(prng, owner, mirror.identity.name) }
  })
  writer.publish(capsule.name, chains)
  network.queue.runUntil(5_000_000)
  away.crash('kill')
  writer.commit([branch.append(700)])
  network.queue.runUntil(10_000_000)
  writer.crash('kill')
  away.start()
  network.queue.runUntil(15_000_000)
  assert.equal(away.store.state(capsule.name, MAIN_BRANCH)?.size, 703)
})

test('ND4: whoever had no way for long is there as soon as a link comes up', () => {
  const prng = new Prng(3)
  const network = new SimNetwork(prng.child())
  const router = new SimNode(network, prng, 'router', { isRouter: true })
  const mirror = new SimNode(network, prng, 'mirror', { isMirror: true })
  const writer = new SimNode(network, prng, 'writer')
  mirror.join(router)
  const capsule = createCapsuleFixture(prng, { read: 'any' })
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  writer.commit([capsule.manifest, branch.append(3)])
  const owner = createAuthority(prng, 'person', capsule.owner)
  const chain = createAdChain(prng, owner, mirror.identity.name)
  writer.publish(capsule.name, [{ mirror, chain }])
  network.queue.runUntil(200_000_000)
  assert.equal(mirror.store.state(capsule.name, MAIN_BRANCH), undefined)
  writer.join(router)
  network.queue.runUntil(201_000_000)
  assert.equal(mirror.store.state(capsule.name, MAIN_BRANCH)?.size, 3)
})

test('ND4: a mirror whose grant has expired starts all the same, and serves nobody new', () => {
  const { prng, network, mirror, writer } = createJoined(2)
  const capsule = createCapsuleFixture(prng, { read: 'any' })
  const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
  writer.commit([capsule.manifest, branch.append(3)])
  const owner = createAuthority(prng, 'person', capsule.owner)
  const chain = createAdChain(prng, owner, mirror.identity.name, { notAfterS: NOW_S + 60 })
  writer.publish(capsule.name, [{ mirror, chain }])
  network.queue.runUntil(5_000_000)
  assert.equal(mirror.store.state(capsule.name, MAIN_BRANCH)?.size, 3)
  network.queue.runUntil(120_000_000)
  mirror.restart('kill')
  network.queue.runUntil(125_000_000)
  const refused = mirror.news.filter((effect) => effect.type === 'refused')
  assert.ok(refused.some((effect) => effect.code === 'CERT_EXPIRED'))
  assert.equal(mirror.engine.advertisedCount, 0)
})

test('ND9: a mirror that starts again advertises all that it holds, however much that is', () => {
  const { prng, network, router, mirror, writer } = createJoined(5)
  for (let i = 0; i < 150; i++) {
    const capsule = createCapsuleFixture(prng, { read: 'any' })
    const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
    writer.commit([capsule.manifest, branch.append(1)])
    const owner = createAuthority(prng, 'person', capsule.owner)
    const chain = createAdChain(prng, owner, mirror.identity.name)
    writer.publish(capsule.name, [{ mirror, chain }])
  }
  network.queue.runUntil(10_000_000)
  assert.equal(mirror.engine.advertisedCount, 150)
  mirror.restart('kill')
  network.queue.runUntil(20_000_000)
  assert.equal(mirror.engine.advertisedCount, 150)
  assert.equal(router.engine.overlay.routeCount, 153)
})

test('ND20: a node whose clock is hours off is refused with a code, and nobody else notices', () => {
  for (const skewUs of [-6 * 3_600_000_000, 6 * 3_600_000_000]) {
    const prng = new Prng(3)
    const network = new SimNetwork(prng.child())
    const router = new SimNode(network, prng, 'router', { isRouter: true })
    const late = new SimNode(network, prng, 'late', { isMirror: true, skewUs })
    const mirror = new SimNode(network, prng, 'mirror', { isMirror: true })
    const writer = new SimNode(network, prng, 'writer')
    for (const node of [late, mirror, writer]) node.join(router)
    network.queue.runUntil(2_000_000)
    const capsule = createCapsuleFixture(prng, { read: 'any' })
    const branch = new SignedBranch(prng.child(), capsule, MAIN_BRANCH)
    writer.commit([capsule.manifest, branch.append(5)])
    const owner = createAuthority(prng, 'person', capsule.owner)
    const chain = createAdChain(prng, owner, mirror.identity.name)
    writer.publish(capsule.name, [{ mirror, chain }])
    network.queue.runUntil(5_000_000)
    assert.equal(mirror.store.state(capsule.name, MAIN_BRANCH)?.size, 5)
    const told = late.news.flatMap((effect) => {
      if (effect.type === 'refused') return [effect.code]
      return effect.type === 'link-down' ? [/CLOCK_SKEW/.exec(effect.reason)?.[0]] : []
    })
    // Behind: what it says has ended already. Ahead: what it is given has not begun.
    assert.equal(told[0], skewUs < 0 ? 'CLOCK_SKEW' : 'CERT_EXPIRED')
    assert.ok(told.length <= 6, `${told.length} attempts in five seconds`)
  }
})
