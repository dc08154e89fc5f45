/**
 * Writes an exhibit of the museum: what this version leaves on disk, for all later ones to open.
 *
 *     node vectors/make-museum.ts v1
 *
 * Run once per format version, when the format is frozen; an exhibit is never written again. Keys
 * are random and public by being here. What must be found in the exhibit is in `facts.json`.
 *
 * @module
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Capsule, type Home, openHome } from '@longshore/client/node'
import { type CapsuleFacts, type ExhibitFacts, payloadFact } from './museum-facts.ts'
import { hexOf } from './read-vectors.ts'

/** 2025-01-01T00:00:00Z. */
const START_US = 1_735_689_600_000_000

const version = process.argv[2] ?? ''
const exhibit = join(import.meta.dirname, 'museum', version)
if (!/^v\d+$/.test(version) || existsSync(exhibit)) {
  console.error(
    'usage: node vectors/make-museum.ts v<number>, for an exhibit that is not there yet',
  )
  process.exit(2)
}

/** What must be read again: payloads, null where one was erased. */
async function factsOf(capsule: Capsule): Promise<CapsuleFacts> {
  const payloads: (string | null)[] = []
  const timesUs: number[] = []
  for await (const { payload, timeUs } of capsule.read()) {
    payloads.push(payload === undefined ? null : payloadFact(payload))
    timesUs.push(timeUs)
  }
  const { text, manifest, head } = capsule
  const root = head === undefined ? null : hexOf(head.root)
  return { name: text, blind: manifest.blind, labels: manifest.labels, root, payloads, timesUs }
}

/** A capsule with labels, several commits, pointers, extensions, all sizes, and an erasure. */
async function makeFull(home: Home): Promise<Capsule> {
  const capsule = await home.create({ labels: { sensor: 'door-1', ort: 'Zürich' }, public: true })
  await capsule.append('first', { timeUs: START_US })
  await capsule.append('', { timeUs: START_US + 1 })
  const many = Array.from({ length: 300 }, (_, index) => `reading ${index % 10}`)
  await capsule.appendMany(many, { timeUs: START_US + 2 })
  await capsule.append(new Uint8Array(70_000).fill(0x5a), { timeUs: START_US - 1 })
  const { header } = await capsule.get(0)
  const pointer = { capsule: null, branch: capsule.branch, index: 0, leafHash: header.payloadHash }
  const ext = { 'example.com/lang': 'de', 'example.com/tags': ['a', 1, null] }
  await capsule.append('with a pointer', { timeUs: START_US + 3, pointers: [pointer], ext })
  await capsule.append('to be erased', { timeUs: START_US + 4 })
  await capsule.erase([capsule.size - 1, { start: 10, end: 13 }], 'asked for by the person')
  return capsule
}

async function makeBlind(home: Home): Promise<Capsule> {
  const capsule = await home.create({ blind: true, labels: { answers: 'yes or no' } })
  await capsule.appendMany(['yes', 'no', 'yes'], { timeUs: START_US })
  await capsule.erase([1], '')
  return capsule
}

/** Everything but what belongs to a running process. */
function isKept(path: string): boolean {
  return !/^(.*lock|socket|holder\.json)$/.test(basename(path))
}

const work = mkdtempSync(join(tmpdir(), 'longshore-museum-'))
process.env['XDG_STATE_HOME'] = join(work, 'state')
mkdirSync(exhibit, { recursive: true })
const receipts: ExhibitFacts['receipts'][number][] = []
const capsules: CapsuleFacts[] = []
{
  await using home = await openHome({ path: join(work, 'home') })
  const ada = await home.createIdentity({ label: 'Ada' })
  await using full = await makeFull(home)
  await using blind = await makeBlind(home)
  await using empty = await home.create({ identity: ada.name })
  mkdirSync(join(exhibit, 'receipts'))
  for (const [capsule, index] of [
    [full, 0],
    [full, 299],
    [full, 302],
    [full, 303],
    [full, 305],
    [blind, 0],
  ] as const) {
    const file = `${receipts.length}.tlog-proof`
    writeFileSync(join(exhibit, 'receipts', file), await capsule.receipt(index))
    receipts.push({ file, name: capsule.text, index })
  }
  const checkpoint = await full.heartbeat()
  writeFileSync(join(exhibit, 'heartbeat'), checkpoint)
  await full.exportTiles(join(exhibit, 'export'))
  await home.compact()
  await full.append('after compaction', { timeUs: START_US + 5 })
  for (const capsule of [full, blind, empty]) capsules.push(await factsOf(capsule))
  await home.backup(join(exhibit, 'backup'))
}
cpSync(join(work, 'home'), join(exhibit, 'home'), { recursive: true, filter: isKept })
cpSync(join(work, 'state'), join(exhibit, 'state'), { recursive: true, filter: isKept })
const facts: ExhibitFacts = { capsules, exported: capsules[0]?.name ?? '', receipts }
writeFileSync(join(exhibit, 'facts.json'), `${JSON.stringify(facts, null, 1)}\n`)
rmSync(work, { recursive: true })
console.log(`wrote ${exhibit}`)
