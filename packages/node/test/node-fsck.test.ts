import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openHome } from '@longshore/client/node'
import { LongshoreNode } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-node-'))
process.env['XDG_STATE_HOME'] = join(directory, 'state')
after(() => rmSync(directory, { recursive: true }))

async function problemsOf(path: string): Promise<string[]> {
  await using home = await openHome({ path, readOnly: true })
  return (await home.fsck()).problems.map(({ code }) => code)
}

test('HM47 ND9: fsck finds nothing in the data of a node, and finds a key that is not its own', async () => {
  const open = (name: string): Promise<LongshoreNode> =>
    LongshoreNode.open({ data: join(directory, name), listen: [], join: [], roles: ['mirror'] })
  const [first, second] = [await open('first'), await open('second')]
  const [name, other] = [first.status.principal, second.status.principal]
  await first.close()
  await second.close()
  assert.deepEqual(await problemsOf(join(directory, 'first')), [])

  const keyFile = (node: string, principal: string): string =>
    join(directory, node, 'keys', `${principal}.key`)
  writeFileSync(keyFile('first', name), readFileSync(keyFile('second', other)))
  assert.deepEqual(await problemsOf(join(directory, 'first')), ['KEY_MISMATCH'])
})
