/**
 * The museum: homes, exports, receipts and backups of every format version, opened by this build.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseName, verifyReceipt } from '@longshore/capsule'
import { type Capsule, type Home, restoreHome, verifyDirectory } from '@longshore/client/node'
import { openDirectory } from './eyes/verifier/directory.ts'
import { openReceipt } from './eyes/verifier/receipt.ts'
import { type CapsuleFacts, type ExhibitFacts, payloadFact } from './museum-facts.ts'
import { hexOf } from './read-vectors.ts'
import { TemporaryPlace } from './temporary-home.ts'

const MUSEUM = join(import.meta.dirname, 'museum')
const versions = existsSync(MUSEUM) ? readdirSync(MUSEUM) : []

test('the museum has an exhibit', {
  skip: versions.length === 0 && 'no version is frozen yet',
}, () => {
  assert.ok(versions.includes('v1'))
})

async function checkCapsule(capsule: Capsule, facts: CapsuleFacts): Promise<void> {
  const { payloads, timesUs, blind, labels, root } = facts
  assert.equal(capsule.size, payloads.length)
  assert.equal(capsule.manifest.blind, blind)
  assert.deepEqual({ ...capsule.manifest.labels }, labels)
  assert.equal(capsule.head === undefined ? null : hexOf(capsule.head.root), root)
  let index = 0
  for await (const { payload, timeUs, state } of capsule.read()) {
    assert.equal(payload === undefined ? null : payloadFact(payload), payloads[index])
    assert.equal(state, payloads[index] === null ? 'erased' : 'present')
    assert.equal(timeUs, timesUs[index])
    index += 1
  }
  assert.equal(index, payloads.length)
  if (payloads.length > 0) await capsule.verify()
}

/** Everything that was in the home is there, verifies, and can be continued. */
async function checkHome(home: Home, { capsules }: ExhibitFacts): Promise<void> {
  assert.deepEqual((await home.fsck()).problems, [])
  for (const facts of capsules) {
    await using capsule = await home.open(facts.name)
    await checkCapsule(capsule, facts)
    const ack = await capsule.append('by a later version')
    assert.equal(ack.index, facts.payloads.length)
    const receipt = await capsule.receipt(ack.index)
    assert.equal(verifyReceipt(receipt, { name: capsule.name }).index, ack.index)
    await capsule.verify()
  }
}

for (const version of versions) {
  const exhibit = join(MUSEUM, version)
  const facts = JSON.parse(readFileSync(join(exhibit, 'facts.json'), 'utf8')) as ExhibitFacts

  for (const isIndexKept of [true, false]) {
    const index = isIndexKept ? 'its index' : 'an index built anew'
    test(`museum ${version}: the home opens with ${index}, is whole, and goes on`, async () => {
      using place = new TemporaryPlace()
      cpSync(join(exhibit, 'home'), place.file('home'), { recursive: true })
      cpSync(join(exhibit, 'state'), place.file('state'), { recursive: true })
      if (!isIndexKept) rmSync(place.file('home/index'), { recursive: true })
      await using home = await place.open()
      await checkHome(home, facts)
    })
  }

  test(`museum ${version}: without its anchors the home is read, and signs nothing`, async () => {
    using place = new TemporaryPlace()
    cpSync(join(exhibit, 'home'), place.file('home'), { recursive: true })
    await using home = await place.open()
    const [first] = facts.capsules
    await using capsule = await home.open(first?.name ?? '')
    await checkCapsule(capsule, first!)
    await assert.rejects(capsule.append('x'), { code: 'WRITER_STATE_UNKNOWN' })
    assert.equal(capsule.size, first?.payloads.length)
  })

  test(`museum ${version}: the backup is restored`, async () => {
    using place = new TemporaryPlace()
    cpSync(join(exhibit, 'state'), place.file('state'), { recursive: true })
    await restoreHome(join(exhibit, 'backup'), { path: place.file('home') })
    await using home = await place.open()
    await checkHome(home, facts)
  })

  test(`museum ${version}: the export verifies and is imported`, async () => {
    using place = new TemporaryPlace()
    const directory = join(exhibit, 'export')
    const name = parseName(facts.exported)
    const { size, root } = await verifyDirectory(directory, { name })
    const second = openDirectory(directory, name)
    assert.deepEqual([second.size, hexOf(second.root)], [size, hexOf(root)])
    await using home = await place.open()
    await home.importTiles(directory)
    await using capsule = await home.open(name)
    const known = facts.capsules.find((capsule) => capsule.name === facts.exported)
    for await (const { index, payload } of capsule.read()) {
      assert.equal(payload === undefined ? null : payloadFact(payload), known?.payloads[index])
    }
    assert.equal(capsule.size, size)
  })

  test(`museum ${version}: the receipts verify`, () => {
    for (const { file, name, index } of facts.receipts) {
      const receipt = readFileSync(join(exhibit, 'receipts', file))
      const proven = verifyReceipt(receipt, { name: parseName(name) })
      assert.equal(proven.index, index)
      assert.equal(openReceipt(receipt, parseName(name)).index, index)
      const known = facts.capsules.find((capsule) => capsule.name === name)?.payloads[index]
      const payload = proven.payload === undefined ? undefined : payloadFact(proven.payload)
      assert.ok(payload === undefined || payload === known)
    }
  })
}
