import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type NodeSettings, planNode, readSettingsFile } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-'))
after(() => rmSync(directory, { recursive: true }))

function read(text: string): NodeSettings {
  const path = join(directory, 'node.json')
  writeFileSync(path, text)
  return readSettingsFile(path)
}

test('ND19: a settings file is one strict object; a relative data directory lies beside it', () => {
  const settings = read('{"data":"data","listen":["tls://127.0.0.1:0"],"roles":["router"]}')
  const plan = planNode(settings)
  assert.equal(plan.data, join(directory, 'data'))
  assert.deepEqual(plan.roles, ['router'])
  assert.deepEqual(planNode({ ...settings, roles: ['mirror', 'mirror'] }).roles, ['mirror'])
  for (const text of ['', '[]', 'null', '{"data":1}', '{"listen":"tls://x:1"}', '{"join":[1]}']) {
    assert.throws(() => read(text), { code: 'CONFIG_INVALID' }, text)
  }
  assert.throws(() => read('{"role":["mirror"]}'), /there is no setting "role"/)
  assert.throws(() => readSettingsFile(join(directory, 'missing')), { code: 'FILE_UNREADABLE' })
  assert.throws(() => readSettingsFile(directory), { code: 'FILE_UNREADABLE' })
})

test('ND19: without a word about roles a node is a mirror, and a gateway if it has HTTP', () => {
  const data = directory
  assert.deepEqual(planNode({ data }).roles, ['mirror'])
  assert.deepEqual(planNode({ data, http: '127.0.0.1:0' }).roles, ['gateway', 'mirror'])
  assert.deepEqual(planNode({ data, http: '[::1]:80', roles: ['router'] }).roles, ['router'])
  assert.equal(planNode({ data, quota: '2T' }).quotaBytes, 2 * 1024 ** 4)
})

test('ND20: a setting that means nothing is refused with a code before anything is opened', () => {
  const data = directory
  const wrong: readonly (readonly [NodeSettings, string])[] = [
    [{}, 'USAGE'],
    [{ data, roles: ['boss'] }, 'USAGE'],
    [{ data, roles: ['gateway'] }, 'USAGE'],
    [{ data, listen: ['127.0.0.1:0'] }, 'USAGE'],
    [{ data, announce: ['tls://x:99999'] }, 'USAGE'],
    [{ data, http: 'x' }, 'USAGE'],
    [{ data, quota: '0' }, 'USAGE'],
    [{ data, join: ['longshore1abc'] }, 'TICKET_INVALID'],
    [{ data, domain: 'bafyrei' }, 'NAME_INVALID'],
  ]
  for (const [settings, code] of wrong) {
    assert.throws(() => planNode(settings), { code }, JSON.stringify(settings))
  }
})
