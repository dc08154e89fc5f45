import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isLongshoreError, MAIN_BRANCH, parseName } from '@longshore/capsule'
import { Following } from './following.ts'
import { homePaths } from './home-layout.ts'
import { createNodeRuntime } from './node-runtime.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { collect, newHomePath, openAt } from './testing-home.ts'

const COUNT = 2000

/** A closed home with two capsules; the payloads of the second are unlike all others. */
async function createClosedHome(): Promise<{ path: string; names: [string, string] }> {
  const path = newHomePath()
  await using home = await openAt(path)
  await using first = await home.create()
  await using second = await home.create()
  await first.appendMany(Array.from({ length: COUNT }, (_, i) => `first ${i}`))
  await second.appendMany(Array.from({ length: COUNT }, (_, i) => `second ${i}`))
  return { path, names: [first.text, second.text] }
}

test('HM10 HM11: whatever happens to the index, opening the home gives back everything', async () => {
  const { path, names } = await createClosedHome()
  const data = join(path, 'index', 'index.mdb')
  const older = join(temporaryDirectory(), 'older.mdb')
  fs.copyFileSync(data, older)
  {
    await using home = await openAt(path)
    await using capsule = await home.open(names[0])
    await capsule.append('newest')
  }
  const flip = (every: number): void => {
    const bytes = fs.readFileSync(data)
    for (let at = 0; at < bytes.length; at += every) bytes[at]! ^= 1
    fs.writeFileSync(data, bytes)
  }
  const damages: Record<string, () => void> = {
    deleted: () => fs.rmSync(join(path, 'index'), { recursive: true }),
    emptied: () => fs.truncateSync(data, 0),
    truncated: () => fs.truncateSync(data, Math.floor(fs.statSync(data).size / 2)),
    'an older copy': () => fs.copyFileSync(older, data),
    'bits flipped everywhere': () => flip(512),
    'one bit flipped': () => flip(1e9),
    'something else': () => fs.writeFileSync(data, 'x'.repeat(100_000)),
    'without its guard': () => fs.rmSync(join(path, 'index', 'guard')),
  }
  for (const [what, damage] of Object.entries(damages)) {
    damage()
    for (const readOnly of [true, false]) {
      await using home = await openAt(path, { readOnly })
      await using capsule = await home.open(names[0])
      assert.equal(capsule.size, COUNT + 1, what)
      assert.equal((await capsule.get(COUNT)).text(), 'newest', what)
      assert.equal((await capsule.verify()).present, COUNT + 1, what)
    }
  }
})

test('HM24: a bit that flipped in the journal harms one entry, is named, and nothing else suffers', async () => {
  const { path, names } = await createClosedHome()
  const segment = join(path, 'store/segments/00000001.0.seg')
  const bytes = fs.readFileSync(segment)
  const at = bytes.indexOf('second 777')
  assert.ok(at > 0)
  bytes[at + 7]! ^= 1
  fs.writeFileSync(segment, bytes)
  await using home = await openAt(path)
  await using damaged = await home.open(names[1])
  const refused: number[] = []
  for (let index = 0; index < COUNT; index++) {
    const error = await damaged.get(index).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    if (error === undefined) continue
    assert.ok(isLongshoreError(error))
    assert.ok(['PAYLOAD_MISMATCH', 'STORE_CORRUPT'].includes(error.code), error.code)
    refused.push(index)
  }
  assert.ok(refused.includes(777))
  await assert.rejects(damaged.verify(), isLongshoreError)
  await using whole = await home.open(names[0])
  assert.equal((await whole.verify()).present, COUNT)
  assert.equal((await whole.append('still writing')).size, COUNT + 1)
  const report = await home.fsck()
  assert.ok(report.problems.length > 0)
  assert.match(report.problems[0]!.message, /segment 1/)
})

test('HM71: a manifest that cannot be read hides no other one, and is named', async () => {
  const { path, names } = await createClosedHome()
  const segment = join(path, 'store/segments/00000001.0.seg')
  const rot = (bytes: Uint8Array): void => {
    const journal = fs.readFileSync(segment)
    const at = journal.indexOf(bytes)
    assert.ok(at > 0)
    journal[at + 40]! ^= 1
    fs.writeFileSync(segment, journal)
  }
  const signed = await (async () => {
    await using home = await openAt(path)
    await using damaged = await home.open(names[0])
    return damaged.signedManifest
  })()
  rot(signed)
  for (const readOnly of [true, false]) {
    await using home = await openAt(path, { readOnly })
    const infos = await home.list()
    assert.equal(infos.length, 4)
    const { text, type, size, problem } = infos.at(-1)!
    assert.deepEqual(
      [text, type, size, problem?.code],
      [names[0], undefined, COUNT, 'STORE_CORRUPT'],
    )
    const types = infos.slice(0, -1).map(({ type: known }) => known)
    assert.deepEqual(types.toSorted(), ['capsule', 'capsule', 'person'])
    assert.equal((await home.identities()).length, 1)
    assert.equal((await home.usage()).capsuleCount, 3)
    await using other = await home.open(names[1])
    assert.equal((await other.get(7)).text(), 'second 7')
    await assert.rejects(home.open(names[0]), { code: 'STORE_CORRUPT' })
  }
  await using home = await openAt(path)
  await using another = await home.create()
  assert.equal((await another.append('as ever')).size, 1)
})

test('HM47: fsck finds nothing in a whole home, a foreign key, and repairs the index', async () => {
  const { path, names } = await createClosedHome()
  await using home = await openAt(path)
  const sound = await home.fsck()
  assert.deepEqual(sound.problems, [])
  assert.equal(sound.entryCount, 2 * COUNT)
  const keys = names.map((name) => join(path, 'keys', `${name}.key`))
  fs.copyFileSync(keys[0]!, keys[1]!)
  const foreign = await home.fsck({ repair: true })
  assert.deepEqual(
    foreign.problems.map(({ code }) => code),
    ['KEY_MISMATCH'],
  )
  assert.equal(foreign.repaired.length, 1)
  await using capsule = await home.open(names[1])
  await assert.rejects(capsule.append('x'), { code: 'NOT_A_WRITER' })
  assert.equal((await collect(capsule.read({ last: 3 }))).length, 3)
})

test('HM48: after erase and compact no byte of the payload is left in the home', async () => {
  const path = newHomePath()
  const secret = 'a secret of 29 bytes 0123456789'
  await using home = await openAt(path)
  await using capsule = await home.create()
  await capsule.appendMany(['before', secret, 'after'])
  const find = (): string[] =>
    fs
      .readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'lock')
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => fs.readFileSync(file).includes(secret))
  assert.equal(find().length, 1)
  await capsule.erase([1])
  const report = await home.compact()
  assert.deepEqual(find(), [])
  assert.ok(report.bytesAfter > 0)
  assert.equal((await capsule.get(2)).text(), 'after')
  assert.equal((await capsule.append('more')).size, 5)
  assert.equal((await capsule.verify()).erased, 1)
})

test('HM20: a home where no index can be made is read from its journal', async () => {
  const { path, names } = await createClosedHome()
  fs.rmSync(join(path, 'index'), { recursive: true })
  const following = Following.openJournal(homePaths(path), createNodeRuntime())
  const name = parseName(names[1])
  assert.equal(following.store.state(name, MAIN_BRANCH)?.size, COUNT)
  const { body } = following.store.entry(name, MAIN_BRANCH, 7)
  assert.equal(Buffer.from(body!).toString(), 'second 7')
  assert.equal(following.refresh(), false)
  assert.equal(following.isOutdated, false)
  following.close()
  assert.equal(fs.existsSync(join(path, 'index')), false)
})

test('HM5 HM11: a pipe where a file belongs is refused or replaced, and never waited for', async () => {
  const { path, names } = await createClosedHome()
  const anchor = join(process.env['XDG_STATE_HOME']!, 'longshore/anchors', names[0])
  const outcomes: [file: string, code: string | undefined][] = [
    [join(path, 'config.json'), 'HOME_UNREADABLE'],
    [join(path, 'store/watermark'), 'STORE_IO'],
    [join(path, 'store/segments/00000001.0.seg'), 'STORE_IO'],
    [join(path, 'index/guard'), undefined],
    [join(path, 'index/index.mdb'), undefined],
    [anchor, 'ANCHOR_UNWRITABLE'],
  ]
  for (const [file, code] of outcomes) {
    const aside = `${file}.aside`
    fs.renameSync(file, aside)
    assert.equal(spawnSync('mkfifo', [file]).status, 0)
    const appended = openAt(path).then(async (home) => {
      await using _ = home
      await using capsule = await home.open(names[0])
      await capsule.append('x')
    })
    if (code === undefined) await appended
    else await assert.rejects(appended, { code }, file)
    fs.rmSync(file, { force: true })
    fs.renameSync(aside, file)
  }
})

test('HM5: things that are in the way of a home are HOME_UNREADABLE', async () => {
  const { path } = await createClosedHome()
  const inTheWay: Record<string, () => void> = {
    'a directory as lock': () => fs.mkdirSync(join(path, 'lock')),
    'a directory as config': () => fs.mkdirSync(join(path, 'config.json')),
    'a file as keys': () => fs.writeFileSync(join(path, 'keys'), ''),
  }
  for (const [what, put] of Object.entries(inTheWay)) {
    const [, , , name] = what.split(' ')
    const file = join(path, name === 'config' ? 'config.json' : name!)
    const aside = join(temporaryDirectory(), 'aside')
    fs.renameSync(file, aside)
    put()
    const opened = openAt(path).then(async (home) => {
      await home.create()
      await home.close()
    })
    await assert.rejects(opened, isLongshoreError, what)
    fs.rmSync(file, { recursive: true })
    fs.renameSync(aside, file)
  }
  await using home = await openAt(path)
  assert.equal((await home.list()).filter(({ size }) => size === COUNT).length, 2)
})

test('HM47 HM3: a config that cannot be used is found, and one that is gone is not made anew', async () => {
  const { path } = await createClosedHome()
  const config = join(path, 'config.json')
  const before = fs.readFileSync(config)
  fs.writeFileSync(config, '{')
  {
    await using home = await openAt(path, { readOnly: true })
    assert.deepEqual(
      (await home.fsck()).problems.map(({ code }) => code),
      ['HOME_UNREADABLE'],
    )
  }
  fs.rmSync(config)
  await assert.rejects(openAt(path), { code: 'HOME_UNREADABLE' })
  fs.writeFileSync(config, before)
  await using home = await openAt(path)
  assert.deepEqual((await home.fsck()).problems, [])
})

test('HM50: appends and reads go on while a large home is compacted and checked', async () => {
  await using home = await openAt(newHomePath())
  await using capsule = await home.create()
  for (let i = 0; i < 25; i++) {
    const payloads = Array.from({ length: 16 }, (_, j) => new Uint8Array(65_536).fill(i + j))
    await capsule.appendMany(payloads)
  }
  await capsule.erase([3, 200], 'test')
  for (const work of [() => home.compact(), () => home.fsck()]) {
    let isOver = false
    const result = work().finally(() => {
      isOver = true
    })
    let appends = 0
    while (!isOver) {
      const { index } = await capsule.append('meanwhile')
      assert.equal((await capsule.get(index)).text(), 'meanwhile')
      await capsule.get(appends % 3)
      appends++
    }
    await result
    // The home has more than ten times what one slice takes.
    assert.ok(appends >= 5, `${appends} appends`)
  }
  assert.deepEqual((await home.fsck()).problems, [])
})
