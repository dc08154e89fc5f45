/** What lies in the store of a mirror, and what it holds for others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH, UnavailableError, verifyEquivocation, verifyHead } from '@longshore/capsule'
import type { StoreOp } from '../store/store.ts'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { droppedOp } from './dropped.ts'
import { decodeMessage, encodeMessage, isControlMessage, type ReplicaMessage } from './messages.ts'
import { Publisher } from './publisher.ts'
import type { PublisherEffect } from './publisher-contract.ts'

function ask(mirror: MirrorHome, session: number, question: ReplicaMessage): ReplicaMessage[] {
  mirror.receive(session, encodeMessage(question))
  return mirror.sentTo(session).map(decodeMessage)
}

/** Bulk messages that travel until both sides are silent. */
function bulkTo(mirror: MirrorHome, home: PublisherHome, session: number): number {
  let count = 0
  home.exchange(mirror, session, (message) => {
    if (!isControlMessage(message)) count++
    return [message]
  })
  return count
}

test('MI26: what was imported is there for nobody before it is offered, then receipted as it is', () => {
  const prng = new Prng(1)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name, manifest } = home.capsule
  const entries = home.branch.append(700)
  home.driver.commit(entries)
  const ops: StoreOp[] = [manifest, entries]
  mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })

  mirror.connect(2)
  const place = { name, branch: MAIN_BRANCH }
  for (const question of [
    { kind: 'open' as const, id: 1, ...place },
    { kind: 'follow' as const, id: 3, ...place, size: 0 },
    { kind: 'cosign' as const, id: 5, ...place },
  ]) {
    const [answer] = ask(mirror, 2, question)
    assert.ok(answer?.kind === 'error' && answer.code === 'NOT_FOUND')
  }
  assert.equal(mirror.mirror.holds(name), false)

  home.connect(mirror, 1)
  assert.equal(bulkTo(mirror, home, 1), 0)
  const receipt = home.effects.find((effect) => effect.type === 'receipt')
  assert.equal(receipt?.head.size, 700)
  assert.equal(mirror.mirror.holds(name), true)
  home.append(1)
  assert.equal(bulkTo(mirror, home, 1), 1)
})

test('MI26 ND17: a new node in the directory repeats nothing that the one before has stated', () => {
  const prng = new Prng(2)
  let isOwn = true
  const policy = {
    ...OPEN_POLICY,
    isOwnChain: () => isOwn,
    checkOffer: () => {
      isOwn = true
    },
  }
  const mirror = new MirrorHome(prng, { policy })
  const home = new PublisherHome(prng)
  const place = { name: home.capsule.name, branch: MAIN_BRANCH }
  const timeOf = (session: number): number | string | undefined => {
    mirror.connect(session)
    const [answer] = ask(mirror, session, { kind: 'cosign', id: 1, ...place })
    if (answer?.kind === 'error') return answer.code
    return answer?.kind === 'receipt' ? answer.timeS : undefined
  }
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  const before = timeOf(2)
  assert.equal(typeof before, 'number')

  isOwn = false
  mirror.restart('power')
  mirror.runtime.timeUs += 3_600_000_000
  assert.equal(timeOf(3), 'NOT_FOUND')
  home.publisher.closed(1)
  home.connect(mirror, 4)
  assert.equal(bulkTo(mirror, home, 4), 0)
  assert.equal(timeOf(5), (before as number) + 3600)
})

test('MI28: what a scrub found before the capsule was offered is not stated as if it were whole', () => {
  const prng = new Prng(3)
  const [mirror, home] = [new MirrorHome(prng), new PublisherHome(prng)]
  const entries = home.branch.append(700)
  home.driver.commit(entries)
  const ops: StoreOp[] = [home.capsule.manifest, entries]
  mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
  mirror.take(mirror.mirror.suspect(home.capsule.name))
  home.connect(mirror, 1)
  const receipts = () => home.effects.filter(({ type }) => type === 'receipt').length
  home.exchange(mirror, 1)
  assert.equal(receipts(), 0)
  // Nothing but what the writer pushes shows that somebody holds all of it.
  home.take(home.publisher.retry(mirror.headLog.name))
  home.exchange(mirror, 1)
  const types = mirror.effects.map(({ type }) => type).filter((type) => type.startsWith('me'))
  assert.deepEqual([...types, receipts()], ['mending', 'mended', 1])
})

test('PU6: a receipt of an older head is given out with what the writer signed', () => {
  const prng = new Prng(3)
  const [first, second] = [new MirrorHome(prng), new MirrorHome(prng)]
  const home = new PublisherHome(prng)
  const writerKey = home.capsule.writer.key
  const receipts = (): { size: number; isSigned: boolean }[] =>
    home.effects.flatMap((effect) => {
      if (effect.type !== 'receipt') return []
      const { head, signedHead } = effect
      if (signedHead !== undefined) verifyHead(home.capsule.name, signedHead, writerKey)
      return [{ size: head.size, isSigned: signedHead?.size === head.size }]
    })
  home.append(3)
  home.connect(first, 1)
  home.exchange(first, 1)
  // Its receipt for three entries is on its way while the fourth is appended.
  home.connect(second, 2)
  home.exchange(second, 2, (message) => {
    if (!isControlMessage(message) && home.branch.size === 3) home.append(1)
    return [message]
  })
  assert.deepEqual(receipts(), [
    { size: 3, isSigned: true },
    { size: 3, isSigned: true },
    { size: 4, isSigned: true },
  ])
  // Another process has not sent that head: the mirror shows it.
  home.append(1)
  const { name } = home.capsule
  const later = new Publisher({ store: home.driver.store, canSend: () => false })
  const target = { mirror: first.headLog.name, chain: new Uint8Array(1), counts: true }
  later.publish(name, MAIN_BRANCH, [target])
  first.connect(3)
  const effects: PublisherEffect[] = later.opened(3, first.headLog.name, first.signer.key)
  for (const effect of effects) if (effect.type === 'send') first.receive(3, effect.message)
  const heard = first.sentTo(3).flatMap((message) => later.receive(3, message))
  const shown = heard.find((effect) => effect.type === 'receipt')
  assert.deepEqual([shown?.head.size, shown?.signedHead?.size], [3, 3])
})

test('MI26: a capsule whose manifest rotted is not there, and the others are', () => {
  const prng = new Prng(9)
  const mirror = new MirrorHome(prng)
  const homes = [new PublisherHome(prng), new PublisherHome(prng)] as const
  for (const [i, home] of homes.entries()) {
    home.append(3)
    home.connect(mirror, 1 + i)
    home.exchange(mirror, 1 + i)
  }
  const [rotten, sound] = homes
  mirror.store.close()
  for (const file of mirror.disk.list('segments')) {
    const path = `segments/${file}`
    const { manifest } = rotten.capsule
    const at = Buffer.from(mirror.disk.contents(path)).indexOf(Buffer.from(manifest.signed))
    if (at > 0) mirror.disk.flipBit(path, at + 40, 1)
  }
  mirror.restart('kill')
  mirror.connect(3)
  const codeOf = (home: PublisherHome, id: number): string => {
    const { name, manifest } = home.capsule
    const [open] = ask(mirror, 3, { kind: 'open', id, name, branch: MAIN_BRANCH })
    const offer = { kind: 'offer' as const, id: id + 2, manifest: manifest.signed }
    const [offered] = ask(mirror, 3, { ...offer, chain: new Uint8Array(1) })
    return [open, offered].map((answer) => (answer?.kind === 'error' ? answer.code : '')).join(' ')
  }
  assert.equal(codeOf(rotten, 1), 'NOT_FOUND ')
  assert.equal(codeOf(sound, 5), ' ')
  assert.deepEqual(mirror.mirror.learn(rotten.capsule.name, []), [])
})

test('PU3: a mirror that holds more is asked how: another history convicts, a continuation does not', () => {
  for (const isOther of [true, false]) {
    const prngs = [new Prng(12), new Prng(12)] as const
    const [larger, smaller] = [new PublisherHome(prngs[0]), new PublisherHome(prngs[1])]
    const mirror = new MirrorHome(new Prng(13))
    larger.append(3, { payloadBytes: 5 })
    larger.append(4, { payloadBytes: 6 })
    larger.connect(mirror, 1)
    larger.exchange(mirror, 1)
    smaller.append(3, { payloadBytes: isOther ? 7 : 5 })
    smaller.connect(mirror, 2)
    smaller.exchange(mirror, 2)
    const evidence = smaller.effects.find((effect) => effect.type === 'evidence')
    const failed = smaller.effects.find((effect) => effect.type === 'failed')
    if (!isOther) {
      assert.deepEqual([evidence, failed], [undefined, undefined])
      continue
    }
    assert.ok(evidence !== undefined && failed !== undefined)
    assert.deepEqual(verifyEquivocation(evidence.bytes).sizes, [3, 7])
    assert.equal((failed.error as { code?: string }).code, 'EQUIVOCATION')
  }
})

test('PU3: what is appended after a larger head was shown is compared with it', () => {
  // At home the capsule is empty, or begins as the larger one does; then it grows.
  for (const before of [0, 3]) {
    for (const [count, payloadBytes, sizes] of [
      [1, 7, [before + 1, 7]],
      [7 - before, 7, [7, 7]],
      [7 - before, 6, undefined],
    ] as const) {
      const [larger, smaller] = [new PublisherHome(new Prng(12)), new PublisherHome(new Prng(12))]
      const mirror = new MirrorHome(new Prng(13))
      if (before > 0) larger.append(before, { payloadBytes: 5 })
      larger.append(7 - before, { payloadBytes: 6 })
      larger.connect(mirror, 1)
      larger.exchange(mirror, 1)
      if (before > 0) smaller.append(before, { payloadBytes: 5 })
      smaller.connect(mirror, 2)
      smaller.exchange(mirror, 2)
      smaller.append(count, { payloadBytes })
      smaller.exchange(mirror, 2)
      const found = smaller.effects.find((effect) => effect.type === 'evidence')
      assert.deepEqual(found && verifyEquivocation(found.bytes).sizes, sizes)
    }
  }
})

test('PU3: a mirror that does not answer the question is compared with all the same', () => {
  for (const [payloadBytes, sizes] of [
    [7, [7, 7]],
    [6, undefined],
  ] as const) {
    const [larger, smaller] = [new PublisherHome(new Prng(12)), new PublisherHome(new Prng(12))]
    const mirror = new MirrorHome(new Prng(13))
    larger.append(3, { payloadBytes: 5 })
    larger.append(4, { payloadBytes: 6 })
    larger.connect(mirror, 1)
    larger.exchange(mirror, 1)
    const isQuestion = (message: Uint8Array): boolean =>
      isControlMessage(message) && decodeMessage(message).kind === 'consistency'
    let questions = 0
    const drop = (message: Uint8Array): Uint8Array[] => {
      if (!isQuestion(message)) return [message]
      questions++
      return []
    }
    smaller.append(3, { payloadBytes: 5 })
    smaller.connect(mirror, 2)
    smaller.exchange(mirror, 2, drop)
    smaller.append(1, { payloadBytes })
    smaller.exchange(mirror, 2, drop)
    assert.equal(questions, 1)
    smaller.append(3, { payloadBytes })
    smaller.exchange(mirror, 2, drop)
    const found = smaller.effects.find((effect) => effect.type === 'evidence')
    assert.deepEqual(found && verifyEquivocation(found.bytes).sizes, sizes)
  }
})

test('PU3: what cannot be read at home ends one branch on one mirror, and nothing else', () => {
  const [larger, smaller] = [new PublisherHome(new Prng(12)), new PublisherHome(new Prng(12))]
  const mirror = new MirrorHome(new Prng(13))
  larger.append(7)
  larger.connect(mirror, 1)
  larger.exchange(mirror, 1)
  smaller.connect(mirror, 2)
  smaller.exchange(mirror, 2)
  smaller.append(7)
  smaller.driver.store.manifest = () => {
    throw new UnavailableError('STORE_CORRUPT', 'the manifest lies in damage')
  }
  smaller.exchange(mirror, 2)
  const failed = smaller.effects.filter((effect) => effect.type === 'failed')
  assert.deepEqual(
    failed.map(({ error }) => (error as { code?: string }).code),
    ['STORE_CORRUPT'],
  )
})

test('MI28 ND13: a damaged capsule that was dropped is still damaged when it is served again', () => {
  for (const isFreed of [false, true]) {
    const prng = new Prng(14)
    const [mirror, home] = [new MirrorHome(prng), new PublisherHome(prng)]
    const { name } = home.capsule
    home.append(10)
    home.connect(mirror, 1)
    home.exchange(mirror, 1)
    mirror.take(mirror.mirror.suspect(name))
    const submit = (ops: readonly StoreOp[]): void =>
      mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
    submit([droppedOp(name, true)])
    mirror.take(mirror.mirror.forget(name))
    assert.equal(mirror.mirror.status.damaged, 0)
    if (isFreed) mirror.mirror.freed(name)
    submit([droppedOp(name, false)])
    mirror.take(mirror.mirror.served(name))
    assert.equal(mirror.mirror.status.damaged, isFreed ? 0 : 1)
    mirror.connect(2)
    const [answer] = ask(mirror, 2, { kind: 'cosign', id: 1, name, branch: MAIN_BRANCH })
    assert.equal(answer?.kind, isFreed ? 'receipt' : 'error')
  }
})
