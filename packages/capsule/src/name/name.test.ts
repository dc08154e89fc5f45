import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, MAIN_BRANCH } from '../bytes/brands.ts'
import { formatCosignerName, formatOrigin, parseOrigin } from './name.ts'

const name = asCapsuleName(new Uint8Array(32).fill(0xab))
const branch = asBranchId(new Uint8Array(16).fill(0xcd))

test('NM5 NM6: an origin reads back to the name and branch it was made of', () => {
  assert.deepEqual(parseOrigin(formatOrigin(name, MAIN_BRANCH)), { name, branch: MAIN_BRANCH })
  assert.deepEqual(parseOrigin(formatOrigin(name, branch)), { name, branch })
})

test('NM6: nothing else is an origin', () => {
  const main = formatOrigin(name, MAIN_BRANCH)
  const other = formatOrigin(name, branch)
  const wrong = [
    '',
    main.slice(0, -1),
    `${main}/`,
    `${other}/`,
    `${other}/x`,
    main.replace('longshore/', 'longshore//'),
    main.toUpperCase(),
    ` ${main}`,
    `${main}\n`,
    formatCosignerName(name, 'mirror'),
    formatCosignerName(name, 'witness'),
  ]
  for (const text of wrong) {
    assert.throws(() => parseOrigin(text), { code: 'NAME_INVALID' }, JSON.stringify(text))
  }
})
