/** The home of a writer that was restored, and the mirrors that know more. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { restoreHome } from '@longshore/client/node'
import { createMirrored, HomePlace, texts } from './home-place.ts'

const place = new HomePlace()
after(() => place.close())

test('NW23: after a restore the writer asks its mirrors, and goes on where it was', async () => {
  const node = await place.open('f1')
  const backup = place.path('f-backup')
  const name = await (async () => {
    await using home = await place.home('f-home', node)
    await using capsule = await createMirrored(home, node)
    await capsule.append('one', { level: 'replicated:1' })
    await home.backup(backup)
    await capsule.append('two', { level: 'replicated:1' })
    return capsule.name
  })()
  // The same machine: its anchor says what was signed.
  await restoreHome(backup, { path: place.path('f-same') })
  {
    await using home = await place.home('f-same')
    await using capsule = await home.open(name)
    assert.equal(capsule.size, 1)
    const { index } = await capsule.append('three', { level: 'replicated:1' })
    assert.equal(index, 2)
    assert.deepEqual(await texts(capsule.read()), ['one', 'two', 'three'])
  }
  // Now it says more than anybody holds: what is missing is not signed again.
  {
    await using home = await place.home('f-same')
    await using capsule = await home.open(name)
    await capsule.append('only here')
  }
  await restoreHome(backup, { path: place.path('f-behind') })
  {
    await using home = await place.home('f-behind')
    await using capsule = await home.open(name)
    await assert.rejects(capsule.append('instead', { level: 'replicated:1' }), {
      code: 'WRITER_STATE_UNKNOWN',
    })
    assert.deepEqual(await texts(capsule.read()), ['one', 'two', 'three'])
  }
  // Another machine knows nothing: the mirrors are all there is.
  process.env['XDG_STATE_HOME'] = place.path('f-state')
  await restoreHome(backup, { path: place.path('f-other') })
  {
    await using home = await place.home('f-other')
    await using capsule = await home.open(name)
    const { index } = await capsule.append('four', { level: 'replicated:1' })
    assert.equal(index, 4)
    const record = (await capsule.get(3)).header.ext.control
    assert.equal(record?.type, 'recover')
  }
  await node.close()
  process.env['XDG_STATE_HOME'] = place.path('f-third')
  await restoreHome(backup, { path: place.path('f-alone') })
  {
    await using home = await place.home('f-alone')
    await using capsule = await home.open(name)
    await assert.rejects(capsule.append('five', { timeoutMs: 500 }), {
      code: 'WRITER_STATE_UNKNOWN',
    })
  }
  process.env['XDG_STATE_HOME'] = place.path('state')
})
