import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Ticket } from '@longshore/capsule'
import { openHome, restoreHome } from '@longshore/client/node'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
after(() => place.close())
const roles = ['router', 'mirror'] as const
const backup = place.path('backup')

test('NW23: an old copy of a home goes on when each of several mirrors has answered', async () => {
  const [one, other] = [await place.open('one', { roles }), await place.open('other', { roles })]
  const name = await (async () => {
    await using home = await openHome({ path: place.path('home') })
    for (const { ticket } of [one, other]) await home.network.connect(ticket as Ticket)
    await using capsule = await home.create({ public: true })
    for (const { name } of [one, other]) await home.network.addMirror(capsule.name, name)
    await capsule.append('one', { level: 'replicated:2' })
    await home.backup(backup)
    await capsule.append('two', { level: 'replicated:2' })
    return capsule.name
  })()
  await restoreHome(backup, { path: place.path('old') })
  {
    await using home = await openHome({ path: place.path('old') })
    await using capsule = await home.open(name)
    const { index } = await capsule.append('three', { level: 'replicated:2' })
    assert.equal(index, 2)
  }
})
