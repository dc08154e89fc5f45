import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asSignature,
  type CapsuleName,
  decodeHead,
  encodeHead,
  MAIN_BRANCH,
  SIGNATURE_BYTES,
  UnavailableError,
} from '@longshore/capsule'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { decodeMessage, encodeMessage, isControlMessage } from './messages.ts'

function connected(seed: number): { home: PublisherHome; mirror: MirrorHome } {
  const prng = new Prng(seed)
  const home = new PublisherHome(prng)
  const mirror = new MirrorHome(prng.child())
  home.append(10)
  home.connect(mirror, 1)
  return { home, mirror }
}

test('MS9 PU7: what a mirror says and nobody can answer ends the session, and nothing else', () => {
  const place = { branch: MAIN_BRANCH, oldSize: 1, id: 2, kind: 'consistency' as const }
  const other = new Uint8Array(32).fill(7) as CapsuleName
  const said: readonly ((name: CapsuleName) => Uint8Array)[] = [
    () => Uint8Array.of(0x80),
    () => new Uint8Array(200).fill(0x97),
    (name) => encodeMessage({ ...place, name, newSize: 99 }),
    () => encodeMessage({ ...place, name: other, newSize: 9 }),
  ]
  for (const say of said) {
    const { home, mirror } = connected(1)
    home.exchange(mirror, 1)
    home.take(home.publisher.receive(1, say(home.capsule.name)))
    const closed = home.effects.filter(({ type }) => type === 'close-session')
    assert.equal(closed.length, 1)
    home.append(5)
    home.connect(mirror, 2)
    home.exchange(mirror, 2)
    assert.equal(home.publisher.countHolding(home.capsule.name, MAIN_BRANCH, 15), 1)
  }
})

test('PU3: a head that the writer did not sign is not taken from a mirror', () => {
  const { home, mirror } = connected(2)
  home.exchange(mirror, 1)
  home.append(5)
  mirror.mirror.closed(1)
  home.publisher.closed(1)
  home.connect(mirror, 2)
  home.effects.length = 0
  mirror.receive(2, encodeMessage({ ...pushOf(home), id: 5 }))
  const [have] = mirror.sentTo(2).filter(isControlMessage).map(decodeMessage)
  assert.ok(have?.kind === 'have' && have.head !== null)
  const signature = asSignature(new Uint8Array(SIGNATURE_BYTES).fill(1))
  const head = decodeHead(encodeHead({ ...have.head, signature }))
  home.take(home.publisher.receive(2, encodeMessage({ ...have, id: 1, head })))
  const [failed] = home.effects.filter((effect) => effect.type === 'failed')
  assert.ok(failed?.type === 'failed')
  assert.equal((failed.error as { code?: string }).code, 'BAD_SIGNATURE')
})

function pushOf({ capsule }: PublisherHome) {
  return { kind: 'push' as const, name: capsule.name, branch: MAIN_BRANCH }
}

test('PU8: what cannot be read at home keeps no other branch from being pushed', () => {
  const { home, mirror } = connected(3)
  const { store } = home.driver
  const { scan } = store
  store.scan = () => {
    throw new UnavailableError('STORE_CORRUPT', 'the journal is damaged here')
  }
  home.exchange(mirror, 1)
  const [failed] = home.effects.filter((effect) => effect.type === 'failed')
  assert.ok(failed?.type === 'failed')
  assert.equal((failed.error as { code?: string }).code, 'STORE_CORRUPT')
  store.scan = scan
  home.take(home.publisher.retry(mirror.headLog.name))
  home.exchange(mirror, 1)
  assert.equal(home.publisher.countHolding(home.capsule.name, MAIN_BRANCH, 10), 1)
})
