import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isLongshoreError } from '@longshore/capsule'
import { HomeLock } from './home-lock.ts'
import { temporaryDirectory } from './testing-directory.ts'

function temporaryPath(): string {
  return join(temporaryDirectory(), 'lock')
}

test('HM4: a second lock in the same process is refused until the first is released', () => {
  const path = temporaryPath()
  const first = HomeLock.tryAcquire(path)
  assert.ok(first)
  assert.equal(HomeLock.tryAcquire(path), undefined)
  assert.equal(HomeLock.tryAcquire(path), undefined)
  assert.deepEqual(fs.readdirSync(join(path, '..')), ['lock'])
  first.release()
  const second = HomeLock.tryAcquire(path)
  assert.ok(second)
  second.release()
  second.release()
})

test('HM4: another process’s lock is seen, and dies with SIGKILL', async () => {
  const path = temporaryPath()
  const script = `
    import { HomeLock } from ${JSON.stringify(new URL('home-lock.ts', import.meta.url).href)}
    const lock = HomeLock.tryAcquire(${JSON.stringify(path)})
    console.log(lock ? 'held' : 'refused')
    setInterval(() => lock, 1e6)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr: string[] = []
  holder.stderr.on('data', (chunk) => stderr.push(String(chunk)))
  const [line] = await once(holder.stdout, 'data')
  assert.equal(String(line), 'held\n')
  assert.equal(HomeLock.tryAcquire(path), undefined)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const lock = HomeLock.tryAcquire(path)
  assert.ok(lock)
  lock.release()
  assert.equal(stderr.join(''), '', 'no warning is printed')
})

test('HM5: a lock file that is a directory or another file is HOME_UNREADABLE', () => {
  const directory = temporaryPath()
  fs.mkdirSync(directory)
  const other = temporaryPath()
  fs.writeFileSync(other, 'this is not a lock '.repeat(100))
  for (const path of [directory, other]) {
    assert.throws(
      () => HomeLock.tryAcquire(path),
      (error) => isLongshoreError(error) && error.code === 'HOME_UNREADABLE',
    )
  }
  assert.ok(fs.readFileSync(other, 'utf8').startsWith('this is not a lock'))
})
