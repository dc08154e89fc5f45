/**
 * Ten defects that were found in this system's ancestors, as ten tests: what those let pass must
 * be refused here. Each title names the defect.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  asHash,
  decodeHeader,
  encodeHeader,
  formatHex,
  hashLeaf,
  manifestKey,
  openManifest,
  sha256,
  verifyReceipt,
} from '@longshore/capsule'
import { type Capsule, type Home, verifyDirectory } from '@longshore/client/node'
import { openDiskStore } from '@longshore/engine'
import {
  BranchFixture,
  createCapsuleFixture,
  Prng,
  SimDisk,
  SimIndex,
  SimRuntime,
  StoreDriver,
} from '@longshore/engine/testing'
import { listFiles } from './adversary/directory-mutants.ts'
import { hexOf } from './read-vectors.ts'
import { TemporaryPlace } from './temporary-home.ts'

const REFUSED = { name: 'VerificationError' }

/** A capsule with `count` entries, and its export. */
async function exported(
  place: TemporaryPlace,
  home: Home,
  count: number,
): Promise<{ capsule: Capsule; directory: string }> {
  const capsule = await home.create()
  await capsule.appendMany(Array.from({ length: count }, (_, index) => `entry ${index}`))
  const directory = place.file(`export-${capsule.text}`)
  await capsule.exportTiles(directory)
  return { capsule, directory }
}

/** Refused by `verify`, refused by `import`, and nothing of it stays in the home that tried. */
async function assertRefusedEverywhere(place: TemporaryPlace, directory: string): Promise<void> {
  await assert.rejects(verifyDirectory(directory), REFUSED)
  await using reader = await place.open('reader')
  const before = await reader.list()
  await assert.rejects(reader.importTiles(directory), REFUSED)
  assert.deepEqual(await reader.list(), before)
}

function change(file: string, edit: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(file, edit(readFileSync(file)))
}

/** Headers of a bundle of at most 256 entries. */
function splitBundle(bundle: Buffer): Buffer[] {
  const headers: Buffer[] = []
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at)
    headers.push(bundle.subarray(at + 2, end))
    at = end
  }
  return headers
}

function joinBundle(headers: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    headers.flatMap(({ length }, at) => [Buffer.from([length >> 8, length & 255]), headers[at]!]),
  )
}

const bundleOf = (directory: string, count: number): string =>
  join(directory, `tile/entries/000.p/${count}`)

test('defect 1, the predecessor is never compared: another history is not taken in', async () => {
  using place = new TemporaryPlace()
  let name: string
  {
    await using home = await place.open()
    await using capsule = await home.create()
    await capsule.appendMany(['zero', 'one'])
    name = capsule.text
  }
  // Home and anchors copied together, which nobody can notice: now one key signs two histories.
  place.copy('home', 'twin')
  place.copy('state', 'twin-state')
  await using home = await place.open()
  await using capsule = await home.open(name)
  await capsule.appendMany(['two, here', 'three'])
  place.useState('twin-state')
  await using twin = await place.open('twin')
  await using other = await twin.open(name)
  await other.append('two, there')
  await other.exportTiles(place.file('there'))
  await verifyDirectory(place.file('there'))
  await assert.rejects(home.importTiles(place.file('there')), { code: 'EQUIVOCATION' })
  assert.equal(capsule.size, 4)
  assert.equal((await capsule.get(2)).text(), 'two, here')
})

test('defect 2, every second record is acknowledged and lost: all entries of a batch are there', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  await using capsule = await home.create()
  const payloads = Array.from({ length: 101 }, (_, index) => `payload ${index}`)
  const ack = await capsule.appendMany(payloads)
  assert.deepEqual([ack.index, ack.count, ack.size], [0, 101, 101])
  for (const index of [0, 1, 2, 49, 50, 99, 100]) {
    const proven = verifyReceipt(await capsule.receipt(index), { name: capsule.name })
    assert.equal(new TextDecoder().decode(proven.payload), payloads[index])
  }
  for (const [index, payload] of payloads.entries()) {
    assert.equal((await capsule.get(index)).text(), payload)
  }
  const tooLarge = new Uint8Array(1_048_577)
  await assert.rejects(capsule.appendMany(['a', tooLarge, 'b']), { code: 'PAYLOAD_TOO_LARGE' })
  assert.equal(capsule.size, 101, 'a batch is taken whole or not at all')
})

test('defect 3, no signature is as good as a right one: unsigned is refused, there is no switch', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  const { capsule, directory } = await exported(place, home, 3)
  const checkpoint = join(directory, 'checkpoint')
  const note = readFileSync(checkpoint, 'utf8')
  const receipt = await capsule.receipt(1)
  for (const unsigned of [
    note.slice(0, note.indexOf('\n\n') + 1),
    note.slice(0, note.indexOf('\n\n') + 2),
    note.replace(/ [^ ]+\n$/, ' AAAAAAA=\n'),
    note.replace(/\u2014 [^ ]+/, '\u2014 example.com/nobody'),
  ]) {
    writeFileSync(checkpoint, unsigned)
    await assertRefusedEverywhere(place, directory)
    assert.ok(receipt.endsWith(note))
    assert.throws(() => verifyReceipt(receipt.replace(note, unsigned)), REFUSED)
  }
  writeFileSync(checkpoint, note)
  const manifest = join(directory, 'manifest.cbor')
  const { body } = openManifest(capsule.signedManifest)
  for (const unsigned of [body, capsule.signedManifest.slice(0, -64)]) {
    writeFileSync(manifest, unsigned)
    await assertRefusedEverywhere(place, directory)
  }
})

test('defect 4, pointers unsigned, acks unsigned, deletion open to all, no reading by time', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  await using capsule = await home.create()
  const leafHash = asHash(new Uint8Array(32).fill(7))
  const pointer = { capsule: null, branch: capsule.branch, index: 0, leafHash }
  await capsule.append('first', { timeUs: 1000 })
  await capsule.append('second', { timeUs: 2000, pointers: [pointer] })
  const { header } = await capsule.get(1)
  assert.deepEqual(header.pointers, [pointer])
  const moved = { ...header, pointers: [{ ...pointer, index: 1 }] }
  assert.notEqual(hexOf(hashLeaf(encodeHeader(moved))), hexOf(hashLeaf(encodeHeader(header))))
  const directory = place.file('export')
  await capsule.exportTiles(directory)
  change(bundleOf(directory, 2), (bundle) => {
    const [first] = splitBundle(bundle)
    return joinBundle([first!, encodeHeader(moved)])
  })
  await assertRefusedEverywhere(place, directory)
  // An acknowledgement can be proven to others.
  assert.equal(verifyReceipt(await capsule.receipt(1)).index, 1)
  // Only the writer erases.
  await capsule.exportTiles(place.file('good'))
  await using reader = await place.open('reader')
  await reader.importTiles(place.file('good'))
  await using copy = await reader.open(capsule.text)
  await assert.rejects(copy.erase([0]), { code: 'NOT_A_WRITER' })
  assert.equal((await copy.get(0)).text(), 'first')
  for (const owned of [capsule, copy]) {
    const found: number[] = []
    for await (const { index } of owned.read({ sinceUs: 1500 })) found.push(index)
    assert.deepEqual(found, [1])
  }
})

test('defect 5, synchronous=OFF: what was acknowledged survives the loss of power', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const prng = new Prng(seed)
    const [disk, index, runtime] = [new SimDisk(prng), new SimIndex(prng), new SimRuntime(prng)]
    const driver = new StoreDriver(
      openDiskStore({ disk, runtime, index: index.open(), mode: 'write' }),
    )
    const { name, manifest } = createCapsuleFixture(prng)
    const fixture = new BranchFixture(prng, name)
    driver.commit(manifest)
    driver.commit(fixture.append(5))
    const late = driver.submit(fixture.append(3))
    driver.flush()
    assert.ok(!driver.committed.includes(late), 'nothing is acknowledged before the sync')
    disk.crash('power')
    index.crash('vanish')
    runtime.restart()
    const store = openDiskStore({ disk, runtime, index: index.open(), mode: 'write' })
    const size = store.state(name, fixture.branch)?.size ?? 0
    assert.ok(size === 5 || size === 8)
    for (let at = 0; at < 5; at += 1) {
      const entry = store.entry(name, fixture.branch, at)
      assert.equal(hexOf(entry.body ?? new Uint8Array(0)), hexOf(fixture.entries[at]!.body))
    }
  }
})

test('defect 6, only the payload is covered and a failed check is stored: nothing of it is', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  const { capsule, directory } = await exported(place, home, 4)
  change(bundleOf(directory, 4), (bundle) => {
    const headers = splitBundle(bundle)
    const header = decodeHeader(headers[2]!)
    headers[2] = Buffer.from(encodeHeader({ ...header, timeUs: header.timeUs + 1 }))
    return joinBundle(headers)
  })
  await assertRefusedEverywhere(place, directory)
  // A name is computed, never taken from whoever brings the bytes.
  await capsule.exportTiles(place.file('good'))
  await using other = await home.create()
  await assert.rejects(verifyDirectory(place.file('good'), { name: other.name }), {
    code: 'NAME_MISMATCH',
  })
  const receipt = await capsule.receipt(0)
  assert.throws(() => verifyReceipt(receipt, { name: other.name }), { code: 'NAME_MISMATCH' })
})

test('defect 7, the hash leaves out the data, heartbeats unchecked, salts reused, reads linear', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  const { capsule, directory } = await exported(place, home, 3)
  const { payloadHash } = await capsule.get(1)
  change(join(directory, 'payload', formatHex(payloadHash)), () => Buffer.from('entry X'))
  await assertRefusedEverywhere(place, directory)
  const heartbeat = await capsule.heartbeat()
  const forged = heartbeat.replace(/(.)(.{20})\n$/, (_, digit, rest) => {
    return `${digit === 'A' ? 'B' : 'A'}${rest}\n`
  })
  const receipt = await capsule.receipt(2)
  const withNote = (note: string): string => receipt.slice(0, receipt.indexOf('\n\n') + 2) + note
  assert.notEqual(verifyReceipt(withNote(heartbeat)).heartbeatS, undefined)
  assert.throws(() => verifyReceipt(withNote(forged)), { code: 'BAD_SIGNATURE' })
  await using blind = await home.create({ blind: true })
  await blind.appendMany(['yes', 'yes', 'no'])
  const [first, second] = [await blind.get(0), await blind.get(1)]
  assert.notEqual(hexOf(first.payloadHash), hexOf(second.payloadHash), 'each has its own salt')
  await using long = await home.create()
  await long.appendMany(Array.from({ length: 5000 }, (_, index) => `${index}`))
  const lines = (await long.receipt(4321)).split('\n')
  const hashCount = lines.indexOf('') - 3
  assert.ok(hashCount <= Math.ceil(Math.log2(5000)), `${hashCount} hashes prove one of 5000`)
})

test('defect 8, payloads not tied to entries, no subscription: exchanged ones are refused', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  const { capsule, directory } = await exported(place, home, 3)
  const paths = await Promise.all(
    [0, 1].map(async (index) => {
      const { payloadHash } = await capsule.get(index)
      return join(directory, 'payload', formatHex(payloadHash))
    }),
  )
  const [first, second] = paths as [string, string]
  renameSync(first, `${first}.away`)
  renameSync(second, first)
  renameSync(`${first}.away`, second)
  await assertRefusedEverywhere(place, directory)
  const stop = new AbortController()
  const seen: number[] = []
  const following = (async () => {
    for await (const { index } of capsule.follow({ from: 2, signal: stop.signal })) {
      seen.push(index)
      if (index === 4) stop.abort()
    }
  })()
  await capsule.append('three')
  await capsule.append('four')
  await following.catch((error: { code?: string }) => assert.equal(error.code, 'ABORTED'))
  assert.deepEqual(seen, [2, 3, 4])
})

test('defect 9, every name is the hash of "undefined", nothing is kept: names bind their owners', async () => {
  using place = new TemporaryPlace()
  let name: string
  {
    await using home = await place.open()
    await using first = await home.create()
    await using second = await home.create()
    name = first.text
    assert.notEqual(first.text, second.text)
    const { manifest, body } = openManifest(first.signedManifest, first.name)
    const owner = hexOf(manifestKey(manifest, 'owner').ed25519)
    assert.ok(hexOf(body).includes(owner), 'the owner key is in what the name hashes')
    assert.equal(hexOf(sha256(body)), hexOf(first.name))
    assert.throws(() => openManifest(first.signedManifest, second.name), { code: 'NAME_MISMATCH' })
    await first.append('kept')
  }
  await using home = await place.open()
  await using capsule = await home.open(name)
  assert.equal((await capsule.get(0)).text(), 'kept')
})

test('defect 10, names of 32 bits and one private key for all: 256 bits, and a key for each', async () => {
  using place = new TemporaryPlace()
  await using home = await place.open()
  const keys = new Set<string>()
  const names = new Set<string>()
  for (let count = 0; count < 8; count += 1) {
    await using capsule = await home.create()
    assert.equal(capsule.name.length, 32)
    names.add(capsule.text)
    const [owner, writer] = (['owner', 'writer'] as const).map((use) => {
      return hexOf(manifestKey(capsule.manifest, use).ed25519)
    })
    assert.notEqual(owner, writer, 'one key, one role')
    keys.add(writer!)
  }
  assert.deepEqual([names.size, keys.size], [8, 8])
  const files = readdirSync(place.file('home/keys')).map((file) => join('home/keys', file))
  assert.ok(files.length >= 8)
  for (const file of files) assert.equal(statSync(place.file(file)).mode & 0o777, 0o600)
  const secrets = files.map((file) => readFileSync(place.file(file), 'utf8').trim())
  assert.equal(new Set(secrets).size, secrets.length, 'no secret is used twice')
  // No secret leaves the key files.
  await using capsule = await home.create()
  await capsule.append('x')
  const directory = place.file('export')
  await capsule.exportTiles(directory)
  for (const path of listFiles(directory)) {
    const bytes = readFileSync(join(directory, path)).toString('hex')
    assert.ok(secrets.every((secret) => !bytes.includes(secret)))
  }
})
