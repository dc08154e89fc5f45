/**
 * A capsule whose owner and writer have two keys, through everything that a home does.
 *
 * @module
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  manifestKey,
  openCheckpoint,
  parseBase64,
  verifyEquivocation,
  verifyReceipt,
} from '@longshore/capsule'
import type { Capsule } from '../../capsule.ts'
import { restoreHome } from './restore.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { collect, copyHome, newHomePath, OtherProcess, openAt } from './testing-home.ts'
import { verifyDirectory } from './verify-directory.ts'

const algorithmsOf = ({ manifest }: Capsule): string[] =>
  manifest.keys.map(({ alg, use }) => `${use} ${alg}`)

test('HM60 HM7: the first capsule decides whether the home makes a post-quantum identity', async () => {
  const path = newHomePath()
  await using home = await openAt(path)
  await using both = await home.create({ postQuantum: true })
  await using ordinary = await home.create()
  const owner = ['owner ed25519', 'owner ml-dsa-44']
  assert.deepEqual(algorithmsOf(both), [...owner, 'writer ed25519', 'writer ml-dsa-44'])
  assert.deepEqual(algorithmsOf(ordinary), [...owner, 'writer ed25519'])
  const linesOf = (text: string): number =>
    fs
      .readFileSync(join(path, 'keys', `${text}.key`), 'latin1')
      .trimEnd()
      .split('\n').length
  assert.deepEqual([linesOf(both.text), linesOf(ordinary.text)], [2, 1])
  await ordinary.append('x')
  assert.equal(ordinary.head?.mlDsa44, undefined)
  verifyReceipt(await ordinary.receipt(0), { name: ordinary.name })
})

test('HM60: an identity with one key makes no capsule that demands two', async () => {
  await using home = await openAt(newHomePath())
  await using _ordinary = await home.create()
  await assert.rejects(home.create({ postQuantum: true }), { code: 'KEY_MISSING' })
  const { name } = await home.createIdentity({ label: 'later', postQuantum: true })
  await using capsule = await home.create({ postQuantum: true, identity: name })
  assert.equal((await capsule.append('x')).size, 1)
})

test('HM20 HM24 CP20 CP22 SG16: append, read, receipt, heartbeat, verify, fsck, reopen', async () => {
  const path = newHomePath()
  let text: string
  {
    await using home = await openAt(path)
    await using capsule = await home.create({ postQuantum: true })
    text = capsule.text
    await capsule.append('first')
    await capsule.appendMany(Array.from({ length: 700 }, (_, i) => `entry ${i}`))
    assert.equal(capsule.head?.mlDsa44?.length, 2420)
    const writerKey = manifestKey(capsule.manifest, 'writer')
    const opened = openCheckpoint(await capsule.heartbeat(), { writerKey, name: capsule.name })
    assert.deepEqual(opened.head, capsule.head)
    assert.ok(opened.heartbeatS !== undefined)
    await capsule.erase([0])
  }
  await using home = await openAt(path)
  await using capsule = await home.open(text)
  await capsule.append('again')
  const proven = verifyReceipt(await capsule.receipt(5), { name: capsule.name })
  assert.equal(proven.owner.mlDsa44?.length, 1312)
  assert.equal(proven.head.size, 703)
  const checks = await capsule.verify()
  assert.deepEqual([checks.size, checks.erased], [703, 1])
  assert.deepEqual((await home.fsck({ repair: true })).problems, [])
})

test('HM42 CP20: another process makes one, appends and follows through the holder', async () => {
  const path = newHomePath()
  await using holder = await openAt(path)
  await using other = new OtherProcess(
    path,
    `const identity = await home.createIdentity({ postQuantum: true })
     const capsule = await home.create({ postQuantum: true, identity: identity.name })
     print(capsule.text)
     await capsule.append('from outside')
     for await (const entry of capsule.follow({ to: 2 })) print(entry.text())`,
  )
  const name = await other.line()
  assert.equal(await other.line(), 'from outside')
  await using capsule = await holder.open(name)
  await capsule.append('from inside')
  assert.equal(await other.line(), 'from inside')
  assert.equal(algorithmsOf(capsule).length, 4)
})

test('EX14 EX15 BK1 BK5: exported, imported in steps, backed up and restored', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create({ postQuantum: true })
  await capsule.append('before')
  const [first, site] = [join(temporaryDirectory(), 'first'), join(temporaryDirectory(), 'site')]
  await capsule.exportTiles(first)
  // Above the 4 MiB of one step, so that the note of an import under way holds two heads.
  for (let i = 0; i < 12; i++) await capsule.append(new Uint8Array(900_000).fill(i))
  await capsule.exportTiles(site)
  assert.equal((await verifyDirectory(site, { name: capsule.name })).size, 13)

  await using mirror = await openAt(newHomePath())
  await mirror.importTiles(first)
  assert.equal((await mirror.importTiles(site)).entriesAdded, 12)
  await using copy = await mirror.open(capsule.name)
  assert.deepEqual(copy.head, capsule.head)
  assert.equal((await copy.verify()).size, 13)
  assert.deepEqual((await mirror.fsck()).problems, [])

  const file = join(temporaryDirectory(), 'backup')
  await home.backup(file)
  const path = newHomePath()
  await restoreHome(file, { path })
  await home.close()
  await using restored = await openAt(path)
  await using same = await restored.open(capsule.name)
  assert.equal((await same.append('after')).size, 14)
  assert.equal((await collect(same.read({ last: 1 })))[0]?.text(), 'after')
})

test('EX5 SG17: an export whose checkpoint lost its second signature is refused', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create({ postQuantum: true })
  await capsule.append('x')
  const site = join(temporaryDirectory(), 'site')
  await capsule.exportTiles(site)
  const checkpoint = join(site, 'checkpoint')
  const lines = fs.readFileSync(checkpoint, 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, 6)
  fs.writeFileSync(checkpoint, `${lines.slice(0, 5).join('\n')}\n`)
  await assert.rejects(verifyDirectory(site), { code: 'SIGNATURE_MISSING' })
  await using other = await openAt(newHomePath())
  await assert.rejects(other.importTiles(site), { code: 'SIGNATURE_MISSING' })
})

test('EX17 SG17: two histories by both keys convict', async () => {
  const path = newHomePath()
  const sites: string[] = []
  let name: string
  {
    await using home = await openAt(path)
    await using capsule = await home.create({ postQuantum: true })
    name = capsule.text
    await capsule.append('common')
  }
  const copy = copyHome(path)
  for (const [at, word] of [
    [path, 'one'],
    [copy, 'other'],
  ] as const) {
    await using home = await openAt(at)
    await using capsule = await home.open(name)
    if (at === copy) await capsule.recover({ assumeOnlyCopy: true, reason: 'a lie' })
    await capsule.append(word)
    const site = join(temporaryDirectory(), 'site')
    await capsule.exportTiles(site)
    sites.push(site)
  }
  await using reader = await openAt(newHomePath())
  await reader.importTiles(sites[0] as string)
  await assert.rejects(reader.importTiles(sites[1] as string), (error: Error) => {
    const { code, details } = error as unknown as { code: string; details: { evidence: string } }
    assert.equal(code, 'EQUIVOCATION')
    const proven = verifyEquivocation(parseBase64(details.evidence) as Uint8Array)
    assert.equal(proven.writerKey.mlDsa44?.length, 1312)
    return true
  })
})
