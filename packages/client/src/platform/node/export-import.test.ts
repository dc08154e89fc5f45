import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatName, isLongshoreError, parseBase64, verifyEquivocation } from '@longshore/capsule'
import type { Capsule } from '../../capsule.ts'
import type { Home } from '../../home.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { collect, copyHome, createCapsuleAt, newHomePath, openAt } from './testing-home.ts'
import { verifyDirectory } from './verify-directory.ts'

/** An export of `count` entries, two of them erased, some of them alike. */
async function createExport(
  count: number,
): Promise<{ home: Home; capsule: Capsule; directory: string }> {
  const home = await openAt(newHomePath())
  const capsule = await home.create()
  await capsule.appendMany(Array.from({ length: count }, (_, i) => `payload ${i % 400}`))
  await capsule.append('secret')
  await capsule.erase([count, 0])
  const directory = join(temporaryDirectory(), 'site')
  await capsule.exportTiles(directory)
  return { home, capsule, directory }
}

function listFiles(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

test('EX1: an export has the files of C2SP tlog-tiles, a manifest and every payload that is there', async () => {
  const { home, directory } = await createExport(600)
  const files = listFiles(directory)
  const others = files.filter((file) => !file.startsWith('payload/'))
  assert.deepEqual(others, [
    'checkpoint',
    'manifest.cbor',
    'tile/0/000',
    'tile/0/001',
    'tile/0/002.p/90',
    'tile/1/000.p/2',
    'tile/entries/000',
    'tile/entries/001',
    'tile/entries/002.p/90',
  ])
  // 400 different ones, of which entry 0 shares its bytes with entry 400, and the erase entry's.
  assert.equal(files.length - others.length, 401)
  const report = await verifyDirectory(directory)
  assert.deepEqual([report.size, report.present, report.erased], [602, 600, 2])
  await home.close()
})

test('EX12: an export is brought up to date: old partial tiles and erased payloads go', async () => {
  const { home, capsule, directory } = await createExport(300)
  await capsule.appendMany(['new 1', 'new 2'])
  await capsule.erase([5])
  // What an export left that was cut off before it wrote a file there.
  fs.mkdirSync(join(directory, 'tile/3/000.p'), { recursive: true })
  const report = await capsule.exportTiles(directory)
  assert.equal((await verifyDirectory(directory)).size, 305)
  assert.ok(report.fileCount < 12, `${report.fileCount} files written again`)
  const fresh = join(temporaryDirectory(), 'fresh')
  await capsule.exportTiles(fresh)
  assert.deepEqual(listFiles(directory), listFiles(fresh))
  for (const file of listFiles(fresh)) {
    assert.deepEqual(
      fs.readFileSync(join(directory, file)),
      fs.readFileSync(join(fresh, file)),
      file,
    )
  }
  await home.close()
})

test('EX11: nothing is written into a directory that holds anything else', async () => {
  const { home, capsule, directory } = await createExport(3)
  const other = await home.create()
  await other.append('x')
  await assert.rejects(other.exportTiles(directory), { code: 'FILE_EXISTS' })
  const foreign = temporaryDirectory()
  fs.writeFileSync(join(foreign, 'thesis.txt'), 'years of work')
  await assert.rejects(capsule.exportTiles(foreign), { code: 'FILE_EXISTS' })
  fs.mkdirSync(join(directory, 'thesis'))
  await assert.rejects(capsule.exportTiles(directory), { code: 'FILE_EXISTS' })
  fs.rmdirSync(join(directory, 'thesis'))
  fs.writeFileSync(join(directory, 'thesis.txt'), 'years of work')
  await assert.rejects(capsule.exportTiles(directory), { code: 'FILE_EXISTS' })
  await assert.rejects(capsule.exportTiles(join(foreign, 'thesis.txt')), { code: 'FILE_EXISTS' })
  assert.deepEqual(listFiles(foreign), ['thesis.txt'])
  const empty = await home.create()
  await assert.rejects(empty.exportTiles(join(foreign, 'new')), { code: 'NOT_FOUND' })
  await home.close()
})

/** Each changes one thing about a good export; the code that must answer. */
const TAMPERINGS: Record<string, [code: string, change: (directory: string) => void]> = {
  'an extra file': ['EXPORT_INVALID', (d) => fs.writeFileSync(join(d, 'index.html'), 'hi')],
  'an extra tile': ['EXPORT_INVALID', (d) => fs.writeFileSync(join(d, 'tile/0/003'), '')],
  'a tile name in another spelling': [
    'EXPORT_INVALID',
    (d) => fs.renameSync(join(d, 'tile/0/000'), join(d, 'tile/0/x000')),
  ],
  'an extra payload': [
    'EXPORT_INVALID',
    (d) => fs.writeFileSync(join(d, 'payload', '00'.repeat(32)), 'hi'),
  ],
  'a payload name in another spelling': [
    'EXPORT_INVALID',
    (d) => fs.writeFileSync(join(d, 'payload', 'AB'.repeat(32)), 'hi'),
  ],
  'a payload that is missing but was never erased': [
    'EXPORT_INVALID',
    (d) => fs.rmSync(firstPayload(d)),
  ],
  'a changed payload': ['PAYLOAD_MISMATCH', (d) => flipByte(firstPayload(d), 3)],
  'a longer payload': ['PAYLOAD_MISMATCH', (d) => fs.appendFileSync(firstPayload(d), 'x')],
  'a missing tile': ['EXPORT_INVALID', (d) => fs.rmSync(join(d, 'tile/0/000'))],
  'a changed tile': ['ROOT_MISMATCH', (d) => flipByte(join(d, 'tile/0/000'), 100)],
  'a short tile': ['EXPORT_INVALID', (d) => fs.truncateSync(join(d, 'tile/0/000'), 8000)],
  'a changed tile above': ['EXPORT_INVALID', (d) => flipByte(join(d, 'tile/1/000.p/1'), 1)],
  'a changed entry': ['ROOT_MISMATCH', (d) => flipByte(join(d, 'tile/entries/000'), 30)],
  'a cut bundle': ['EXPORT_INVALID', (d) => fs.truncateSync(join(d, 'tile/entries/000'), 900)],
  'a longer bundle': [
    'EXPORT_INVALID',
    (d) => fs.appendFileSync(join(d, 'tile/entries/000'), '\0\0'),
  ],
  'a missing manifest': ['EXPORT_INVALID', (d) => fs.rmSync(join(d, 'manifest.cbor'))],
  'a changed manifest': ['BAD_SIGNATURE', (d) => flipByte(join(d, 'manifest.cbor'), -1)],
  'a missing checkpoint': ['EXPORT_INVALID', (d) => fs.rmSync(join(d, 'checkpoint'))],
  'a checkpoint of another size': [
    'BAD_SIGNATURE',
    (d) => replaceIn(d, 'checkpoint', /\n302\n/, '\n301\n'),
  ],
  'a huge checkpoint': [
    'EXPORT_INVALID',
    (d) => fs.writeFileSync(join(d, 'checkpoint'), 'x'.repeat(70_000)),
  ],
  'a link to a file': ['EXPORT_INVALID', (d) => linkInstead(join(d, 'tile/0/000'))],
  'a link to the checkpoint': ['EXPORT_INVALID', (d) => linkInstead(join(d, 'checkpoint'))],
  'a link to a directory': ['EXPORT_INVALID', (d) => linkInstead(join(d, 'payload'))],
  'a link beside the files': ['EXPORT_INVALID', (d) => fs.symlinkSync('/etc/passwd', join(d, 'x'))],
  'a directory instead of a file': [
    'EXPORT_INVALID',
    (d) => {
      fs.rmSync(join(d, 'checkpoint'))
      fs.mkdirSync(join(d, 'checkpoint'))
    },
  ],
  'an empty directory': ['EXPORT_INVALID', (d) => fs.mkdirSync(join(d, 'notes'))],
  'an empty directory among the tiles': [
    'EXPORT_INVALID',
    (d) => fs.mkdirSync(join(d, 'tile/0/x001/002.p'), { recursive: true }),
  ],
  'an empty directory among the payloads': [
    'EXPORT_INVALID',
    (d) => fs.mkdirSync(join(d, 'payload/more')),
  ],
  'deep directories': [
    'EXPORT_INVALID',
    (d) => {
      fs.mkdirSync(join(d, 'tile/0', 'x000/'.repeat(30)), { recursive: true })
      fs.writeFileSync(join(d, 'tile/0', 'x000/'.repeat(30), '000'), '')
    },
  ],
}

function firstPayload(directory: string): string {
  const [file] = listFiles(join(directory, 'payload'))
  return join(directory, 'payload', file!)
}

function flipByte(path: string, at: number): void {
  const bytes = fs.readFileSync(path)
  const position = at < 0 ? bytes.length + at : at
  bytes[position]! ^= 1
  fs.writeFileSync(path, bytes)
}

function replaceIn(directory: string, file: string, from: RegExp, to: string): void {
  const path = join(directory, file)
  const text = fs.readFileSync(path, 'utf8')
  assert.match(text, from)
  fs.writeFileSync(path, text.replace(from, to))
}

function linkInstead(path: string): void {
  fs.renameSync(path, `${path}-elsewhere`)
  const hidden = join(temporaryDirectory(), 'moved')
  fs.cpSync(`${path}-elsewhere`, hidden, { recursive: true })
  fs.rmSync(`${path}-elsewhere`, { recursive: true })
  fs.symlinkSync(hidden, path)
}

test('EX2 EX3 EX4 EX5 EX6 EX7 EX8 EX10: every change of an export is refused, and nothing of it is stored', async () => {
  const { home, capsule, directory } = await createExport(300)
  await using target = await openAt(newHomePath())
  let refused = 0
  for (const [what, [code, change]] of Object.entries(TAMPERINGS)) {
    const copy = join(temporaryDirectory(), 'copy')
    fs.cpSync(directory, copy, { recursive: true })
    change(copy)
    await assert.rejects(verifyDirectory(copy), { code }, what)
    await assert.rejects(target.importTiles(copy), { code }, what)
    assert.deepEqual(await target.list(), [], what)
    refused++
  }
  assert.equal(refused, Object.keys(TAMPERINGS).length)
  await assert.rejects(verifyDirectory(directory, { name: capsule.manifest.authority! }), {
    code: 'NAME_MISMATCH',
  })
  await assert.rejects(verifyDirectory(join(directory, 'nowhere')), { code: 'FILE_UNREADABLE' })
  await assert.rejects(verifyDirectory(join(directory, 'checkpoint')), { code: 'FILE_UNREADABLE' })
  await verifyDirectory(directory, { name: capsule.name })
  await home.close()
})

test('EX14: an import has everything that the export had, and can be exported again, alike', async () => {
  const { home, capsule, directory } = await createExport(600)
  await using target = await openAt(newHomePath())
  const report = await target.importTiles(directory)
  assert.deepEqual(
    { ...report, name: formatName(report.name) },
    {
      name: capsule.text,
      text: capsule.text,
      size: 602,
      entriesAdded: 602,
      payloadsAdded: 0,
      entriesMended: 0,
      erased: 2,
    },
  )
  await using imported = await target.open(capsule.name)
  assert.equal(imported.writable, false)
  assert.equal((await imported.get(0)).state, 'erased')
  assert.equal((await imported.get(400)).text(), 'payload 0')
  await assert.rejects(imported.append('x'), { code: 'NOT_A_WRITER' })
  const verified = await imported.verify()
  assert.deepEqual([verified.present, verified.absent, verified.erased], [600, 0, 2])
  const again = join(temporaryDirectory(), 'again')
  await imported.exportTiles(again)
  assert.deepEqual(listFiles(again), listFiles(directory))
  const repeated = await target.importTiles(directory)
  assert.deepEqual([repeated.entriesAdded, repeated.payloadsAdded], [0, 0])
  await home.close()
})

test('EX15: a newer export extends what is here; an older one changes nothing', async () => {
  const { home, capsule, directory } = await createExport(300)
  const older = join(temporaryDirectory(), 'older')
  fs.cpSync(directory, older, { recursive: true })
  await using target = await openAt(newHomePath())
  await target.importTiles(older)
  await capsule.appendMany(Array.from({ length: 500 }, (_, i) => `more ${i}`))
  await capsule.erase([7])
  await capsule.exportTiles(directory)
  const report = await target.importTiles(directory)
  assert.deepEqual([report.entriesAdded, report.size], [501, 803])
  await using imported = await target.open(capsule.name)
  assert.equal((await imported.get(7)).state, 'erased')
  assert.equal((await target.importTiles(older)).entriesAdded, 0)
  assert.equal(imported.size, 803)
  assert.equal((await imported.verify()).erased, 3)
  await home.close()
})

test('EX16: a large import in many steps shows nothing until all of it is there', async () => {
  const home = await openAt(newHomePath())
  const capsule = await home.create()
  const payloads = Array.from({ length: 30 }, (_, i) => new Uint8Array(500_000).fill(i))
  await capsule.appendMany(payloads)
  const directory = join(temporaryDirectory(), 'site')
  await capsule.exportTiles(directory)
  const path = newHomePath()
  const target = await openAt(path)
  const abort = new AbortController()
  let largest = 0
  const watching = (async () => {
    while (!abort.signal.aborted) {
      for (const { size } of await target.list()) if (size > 0) largest = Math.max(largest, size)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await target.importTiles(directory)
  abort.abort()
  await watching
  const imported = await target.open(capsule.name)
  assert.equal(imported.size, 30)
  assert.ok(largest === 0 || largest === 30, `an import showed itself at ${largest} of 30`)
  assert.equal((await imported.verify()).present, 30)
  assert.deepEqual((await target.fsck()).problems, [])
  await target.close()
  await home.close()
})

test('EX17: two histories under one key are EQUIVOCATION, and the evidence convicts', async () => {
  const path = newHomePath()
  const name = await createCapsuleAt(path, '0')
  const copy = copyHome(path)
  const state = process.env['XDG_STATE_HOME']
  // Home and anchor are copied back together: the accident that no writer can notice (F20).
  const anchors = temporaryDirectory()
  fs.cpSync(state!, anchors, { recursive: true })
  const histories: string[] = []
  for (const [home, stateHome, entry] of [
    [path, state, 'one'],
    [copy, anchors, 'two'],
  ] as const) {
    process.env['XDG_STATE_HOME'] = stateHome
    await using opened = await openAt(home)
    await using capsule = await opened.open(name)
    await capsule.appendMany([entry, entry])
    const directory = join(temporaryDirectory(), 'site')
    await capsule.exportTiles(directory)
    histories.push(directory)
  }
  process.env['XDG_STATE_HOME'] = state
  await using target = await openAt(newHomePath())
  await target.importTiles(histories[0]!)
  await assert.rejects(target.importTiles(histories[1]!), (error) => {
    assert.ok(isLongshoreError(error) && error.code === 'EQUIVOCATION')
    const evidence = parseBase64(String(error.details['evidence']))
    const proven = verifyEquivocation(evidence!)
    assert.equal(formatName(proven.name), name)
    return true
  })
  await using kept = await target.open(name)
  assert.equal((await collect(kept.read())).map((e) => e.text()).join(), '0,one,one')
})

test('EX13: an export that was given up is no export yet, and the next run completes it', async () => {
  const { home, capsule, directory } = await createExport(600)
  const interrupted = join(temporaryDirectory(), 'interrupted')
  const abort = new AbortController()
  const exporting = capsule.exportTiles(interrupted, { signal: abort.signal })
  setImmediate(() => abort.abort())
  await assert.rejects(exporting, { code: 'ABORTED' })
  assert.ok(fs.existsSync(join(interrupted, 'manifest.cbor')))
  await assert.rejects(verifyDirectory(interrupted), { code: 'EXPORT_INVALID' })
  await capsule.exportTiles(interrupted)
  assert.deepEqual(listFiles(interrupted), listFiles(directory))

  // Over an older export: until the checkpoint is replaced the old one holds.
  await capsule.appendMany(Array.from({ length: 900 }, (_, i) => `more ${i}`))
  const again = new AbortController()
  const updating = capsule.exportTiles(directory, { signal: again.signal })
  setImmediate(() => again.abort())
  await assert.rejects(updating, { code: 'ABORTED' })
  const checkpoint = fs.readFileSync(join(directory, 'checkpoint'), 'utf8')
  assert.match(checkpoint, /\n602\n/)
  assert.ok(fs.existsSync(join(directory, 'tile/entries/002.p/90')))
  await home.close()
})
