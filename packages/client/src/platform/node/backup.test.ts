import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeBackupList, encodeBackupList, isHomePath } from './backup-format.ts'
import { restoreHome } from './restore.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { collect, newHomePath, openAt } from './testing-home.ts'

async function backUpOneCapsule(): Promise<string> {
  const home = await openAt(newHomePath())
  const capsule = await home.create({})
  await capsule.append('one')
  const file = join(temporaryDirectory(), 'backup')
  await home.backup(file)
  await capsule.close()
  await home.close()
  return file
}

test('BK1 BK2 BK3: a backup made while writing goes on is one consistent state, keys included', async () => {
  const home = await openAt(newHomePath())
  const capsule = await home.create({ labels: { a: 'b' } })
  await capsule.appendMany(['0', '1', '2'])
  let appended = 3
  let isDone = false
  const writing = (async () => {
    while (!isDone) {
      await capsule.append(`${appended}`)
      appended++
    }
  })()
  const file = join(temporaryDirectory(), 'backup')
  const report = await home.backup(file)
  isDone = true
  await writing
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  assert.equal(fs.statSync(file).size, report.fileBytes)
  assert.deepEqual(fs.readdirSync(join(file, '..')), ['backup'])
  await assert.rejects(home.backup(file), { code: 'FILE_EXISTS' })
  await home.close()

  const path = newHomePath()
  const restored = await restoreHome(file, { path })
  assert.equal(restored.fileCount, report.fileCount)
  await using copy = await openAt(path)
  await using same = await copy.open(capsule.name)
  assert.ok(same.size >= 3 && same.size <= appended)
  assert.equal((await collect(same.read()))[2]?.text(), '2')
  assert.equal(same.writable, true)
  assert.equal((await copy.identities()).length, 1)
  assert.equal(fs.statSync(path).mode & 0o777, 0o700)
})

test('BK7: after a restore the anchor decides: unchanged since then it writes on, else it refuses', async () => {
  const path = newHomePath()
  const file = join(temporaryDirectory(), 'backup')
  const home = await openAt(path)
  const capsule = await home.create()
  await capsule.append('0')
  await home.backup(file)
  await home.close()
  const unchanged = newHomePath()
  await restoreHome(file, { path: unchanged })
  {
    await using restored = await openAt(unchanged)
    await using same = await restored.open(capsule.name)
    assert.equal((await same.append('1')).size, 2)
  }
  const outdated = newHomePath()
  await restoreHome(file, { path: outdated })
  await using restored = await openAt(outdated)
  await using same = await restored.open(capsule.name)
  await assert.rejects(same.append('other 1'), { code: 'WRITER_STATE_UNKNOWN' })
  assert.equal((await same.get(0)).text(), '0')
  const ack = await same.recover({ assumeOnlyCopy: true, reason: 'the other disk burned' })
  assert.equal(ack.index, 1)
  assert.equal((await same.append('2')).index, 2)
})

test('BK5 BK6: nothing is put in place of a damaged backup, or where something is', async () => {
  const file = join(temporaryDirectory(), 'backup')
  {
    await using home = await openAt(newHomePath())
    await using capsule = await home.create()
    await capsule.appendMany(Array.from({ length: 100 }, (_, i) => `${i}`))
    await home.backup(file)
  }
  const good = fs.readFileSync(file)
  const withTrailer = (bytes: Buffer): Buffer =>
    Buffer.concat([bytes, createHash('sha256').update(bytes).digest()])
  const body = good.subarray(0, -32)
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(good)
    bytes[at]! ^= 1
    return bytes
  }
  const damaged: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'not a backup': Buffer.from('hello '.repeat(100)),
    'cut off': good.subarray(0, -1),
    'cut in the list': good.subarray(0, 30),
    'with something after it': Buffer.concat([good, Buffer.from('x')]),
    'a bit in the list': flipped(40),
    'a bit in a file': flipped(good.length - 5000),
    'a bit in the hash': flipped(good.length - 1),
    'another version': flipped(11),
    'a path that escapes, with a right hash': withTrailer(
      Buffer.from(body.toString('latin1').replace('config.json', '../evil.sh.'), 'latin1'),
    ),
  }
  for (const [what, bytes] of Object.entries(damaged)) {
    const bad = join(temporaryDirectory(), 'bad')
    fs.writeFileSync(bad, bytes)
    const path = newHomePath()
    await assert.rejects(restoreHome(bad, { path }), { code: 'BACKUP_INVALID' }, what)
    assert.deepEqual(fs.readdirSync(join(path, '..')), [], what)
  }
  const taken = temporaryDirectory()
  fs.writeFileSync(join(taken, 'thesis.txt'), 'x')
  await assert.rejects(restoreHome(file, { path: taken }), { code: 'FILE_EXISTS' })
  await assert.rejects(restoreHome(file, { path: join(taken, 'thesis.txt') }), {
    code: 'FILE_EXISTS',
  })
  await assert.rejects(restoreHome(taken, { path: newHomePath() }), { code: 'FILE_UNREADABLE' })
  await assert.rejects(restoreHome(join(taken, 'none'), { path: newHomePath() }), {
    code: 'FILE_UNREADABLE',
  })
  await restoreHome(file, { path: temporaryDirectory() })
})

test('BK5: a link to an empty directory stays, and the home is where it leads to', async () => {
  const file = await backUpOneCapsule()
  const directory = temporaryDirectory()
  const [place, link] = [join(directory, 'place'), join(directory, 'link')]
  fs.mkdirSync(place)
  fs.symlinkSync('place', link)
  const { path } = await restoreHome(file, { path: link })
  assert.equal(path, fs.realpathSync(place))
  assert.ok(fs.lstatSync(link).isSymbolicLink())
  assert.ok(fs.existsSync(join(place, 'config.json')))
  assert.deepEqual(fs.readdirSync(directory).sort(), ['link', 'place'])
})

test('BK5 BK8: when a home cannot be prepared, the place beside it is named', async () => {
  const file = await backUpOneCapsule()
  const path = join(temporaryDirectory(), 'x'.repeat(250))
  await assert.rejects(restoreHome(file, { path }), {
    code: 'FILE_UNWRITABLE',
    message: `cannot write ${path}.restoring: its name is too long`,
  })
})

test('BK5: a directory on which a file system is mounted is refused, and told as such', (t) => {
  const place = temporaryDirectory()
  const inMount = (...command: string[]): ReturnType<typeof spawnSync> => {
    const script = 'place=$1; shift; mount -t tmpfs none "$place" && exec "$@"'
    const words = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', place]
    return spawnSync('unshare', [...words, ...command], { encoding: 'utf8' })
  }
  if (inMount('true').status !== 0) {
    t.skip('nothing can be mounted here')
    return
  }
  const program = `
    import { restoreHome } from ${JSON.stringify(import.meta.resolve('./restore.ts'))}
    const restoring = restoreHome('none', { path: ${JSON.stringify(place)} })
    await restoring.catch(({ code, message }) => console.log(code, message))`
  const { stdout } = inMount(process.execPath, '--input-type=module', '-e', program)
  assert.match(String(stdout), /^FILE_UNWRITABLE .* a file system is mounted there/)
})

test('BK4: only the files of a home are known, by exactly their names', () => {
  const key = 'keys/bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku.key'
  for (const path of ['config.json', 'store/segments/00000001.0.seg', key]) {
    assert.equal(isHomePath(path), true, path)
  }
  const foreign = [
    '',
    'lock',
    'holder.json',
    'store/watermark',
    '/config.json',
    'config.json/x',
    'store/segments/../../x',
    'store/segments/1.0.seg',
    'keys/../x.key',
    key.toUpperCase(),
    `${key}x`,
  ]
  for (const path of foreign) assert.equal(isHomePath(path), false, path)
  const files = [
    { path: 'config.json', byteLength: 3 },
    { path: 'store/segments/00000001.0.seg', byteLength: 64 },
  ]
  assert.deepEqual(decodeBackupList(encodeBackupList(files).subarray(16)), files)
  const disordered = encodeBackupList(files.toReversed()).subarray(16)
  assert.throws(() => decodeBackupList(disordered), { code: 'BACKUP_INVALID' })
})
