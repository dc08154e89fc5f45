/** Backups and restores that are killed: whole, or not there, and cleared away by the next one. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import type { CapsuleName } from '@longshore/capsule'
import { restoreHome } from './restore.ts'
import { RestoreSite } from './restore-site.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { newHomePath, openAt } from './testing-home.ts'
import { COUNT_FROM_HERE, chooseKills, runKilledBefore } from './testing-kill.ts'

const KILLS_MAX = 6

const moduleUrl = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)

interface Made {
  readonly home: string
  readonly name: CapsuleName
  readonly backup: string
}

async function makeBackup(): Promise<Made> {
  const home = newHomePath()
  const backup = join(temporaryDirectory(), 'backup')
  await using opened = await openAt(home)
  await using capsule = await opened.create()
  await capsule.appendMany(['0', '1', '2'])
  await opened.backup(backup)
  return { home, name: capsule.name, backup }
}

async function checkHome(path: string, name: CapsuleName): Promise<void> {
  await using home = await openAt(path)
  await using capsule = await home.open(name)
  assert.equal(capsule.size, 3)
  assert.equal((await capsule.get(2)).text(), '2')
}

test('BK3: after a kill at any point there is a complete backup or none, and the next one works', async () => {
  const { home, name } = await makeBackup()
  const file = join(temporaryDirectory(), 'backup')
  const program = `
    import { openHome } from ${moduleUrl('index.ts')}
    const home = await openHome({ path: ${JSON.stringify(home)} })
    ${COUNT_FROM_HERE}
    await home.backup(${JSON.stringify(file)})`
  const { changeCount } = runKilledBefore(0, program)
  const whole = fs.readFileSync(file)
  const results = new Set<boolean>()
  for (const change of chooseKills(changeCount, KILLS_MAX)) {
    fs.rmSync(file, { force: true })
    assert.equal(runKilledBefore(change, program).wasKilled, true, `change ${change}`)
    const isThere = fs.existsSync(file)
    results.add(isThere)
    const leftover = `${file}.partial`
    if (isThere) assert.deepEqual(fs.readFileSync(file), whole, `change ${change}`)
    else if (fs.existsSync(leftover)) assert.equal(fs.statSync(leftover).mode & 0o777, 0o600)
  }
  assert.deepEqual(results, new Set([false, true]), 'kills before and after the backup was there')
  fs.rmSync(file, { force: true })
  fs.writeFileSync(`${file}.partial`, 'left by a kill')
  assert.equal(runKilledBefore(0, program).wasKilled, false)
  assert.deepEqual(fs.readdirSync(dirname(file)), ['backup'])
  const path = newHomePath()
  await restoreHome(file, { path })
  await checkHome(path, name)
})

test('BK6 BK8: after a kill at any point of a restore there is a whole home or none', async () => {
  const { name, backup } = await makeBackup()
  const path = newHomePath()
  const program = `
    import { restoreHome } from ${moduleUrl('restore.ts')}
    ${COUNT_FROM_HERE}
    await restoreHome(${JSON.stringify(backup)}, { path: ${JSON.stringify(path)} })`
  const { changeCount } = runKilledBefore(0, program)
  assert.deepEqual(fs.readdirSync(dirname(path)), [basename(path)])
  const results = new Set<boolean>()
  for (const change of chooseKills(changeCount, KILLS_MAX)) {
    fs.rmSync(path, { recursive: true, force: true })
    assert.equal(runKilledBefore(change, program).wasKilled, true, `change ${change}`)
    const isThere = fs.existsSync(path)
    results.add(isThere)
    if (isThere) await checkHome(path, name)
    // The next one to the same place removes what was left, also if it may not restore.
    if (isThere) await assert.rejects(restoreHome(backup, { path }), { code: 'FILE_EXISTS' })
    else await restoreHome(backup, { path })
    assert.deepEqual(fs.readdirSync(dirname(path)), [basename(path)], `change ${change}`)
    await checkHome(path, name)
  }
  assert.deepEqual(results, new Set([false, true]), 'kills before and after the home was there')
})

test('BK8: a restore that is under way is left alone, and so is what is no leftover', async () => {
  const { backup } = await makeBackup()
  const path = newHomePath()
  {
    using site = RestoreSite.prepare(path)
    fs.mkdirSync(site.building.home)
    await assert.rejects(restoreHome(backup, { path }), { code: 'LOCKED' })
    assert.ok(fs.existsSync(site.building.home))
  }
  const other = await makeBackup()
  const taken = newHomePath()
  fs.renameSync(other.home, `${taken}.restoring`)
  await assert.rejects(restoreHome(backup, { path: taken }), { code: 'FILE_EXISTS' })
  await checkHome(`${taken}.restoring`, other.name)
})
