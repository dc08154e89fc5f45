import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkLines } from './check-lines.ts'
import { Place } from './longshore-process.ts'

test('CL9 CL10: what every command prints with --json is what its schema says', async () => {
  using place = new Place()
  const ok = async (schema: string, args: string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await place.run([...args, '--json'], input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    assert.equal(stderr, '')
    checkLines(schema, stdout)
    return stdout
  }
  await ok('version', ['--version'])
  await ok('identity', ['id', 'new', '--label', 'x'])
  await ok('identity', ['id', 'list'])
  await ok('identity', ['id', 'show'])
  const { name } = JSON.parse(await ok('create', ['create', '--label', 'a=b']))
  await ok('show', ['show', name])
  await ok('append', ['append', name], 'one\ntwo\nthree\n')
  await ok('append', ['append', name, '--level', 'buffered'], 'four\n')
  await ok('capsule', ['list', '--all'])
  await ok('show', ['show', name])
  await ok('erase', ['erase', name, '1'])
  await ok('entry', ['read', name])
  await ok('entry', ['follow', name, '--to', '2'])
  await ok('receipt', ['receipt', name, '0'])
  await ok('receipt', ['receipt', name, '0', '-o', 'file'])
  await ok('verify', ['verify', 'file'])
  await ok('verify', ['verify', name])
  await ok('export', ['export', name, 'site'])
  await ok('verify', ['verify', 'site', '--name', name])
  await ok('import', ['--home', 'other', 'import', 'site'])
  await ok('compact', ['compact'])
  await ok('fsck', ['fsck'])
  await ok('du', ['du'])
  await ok('backup', ['backup', 'saved'])
  await ok('append', ['append', name], 'forgotten by the backup\n')
  await ok('restore', ['--home', 'restored', 'restore', 'saved'])
  await ok('recover', [
    '--home',
    'restored',
    'recover',
    name,
    '--assume-only-copy',
    '--reason',
    'x',
  ])
})

test('CL10 CL37: errors are objects too, and a failed verification is reported twice', async () => {
  using place = new Place()
  const failing = async (args: string[], code: number): Promise<string> => {
    const finished = await place.run([...args, '--json'])
    assert.equal(finished.code, code, args.join(' '))
    checkLines('error', finished.stderr)
    return finished.stdout
  }
  assert.equal(await failing(['bogus'], 2), '')
  assert.equal(await failing(['du'], 3), '')
  const name = await place.create()
  assert.equal(await failing(['receipt', name, '0'], 2), '')
  assert.equal(await failing(['read', 'x'], 2), '')
  writeFileSync(join(place.directory, 'letter'), 'not a receipt\n')
  const [report] = checkLines('verify', await failing(['verify', 'letter'], 1))
  assert.equal(report?.['ok'], false)
})
