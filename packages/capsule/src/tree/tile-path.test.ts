import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTilePath, tilePath } from './tile-path.ts'

const PATHS = [
  ['tile/0/000', { level: 0, n: 0, width: 256 }],
  ['tile/0/000.p/1', { level: 0, n: 0, width: 1 }],
  ['tile/0/x001/234.p/5', { level: 0, n: 1234, width: 5 }],
  ['tile/1/x001/x234/067', { level: 1, n: 1_234_067, width: 256 }],
  ['tile/entries/x001/x234/067.p/255', { level: 'entries', n: 1_234_067, width: 255 }],
  ['tile/6/000.p/31', { level: 6, n: 0, width: 31 }],
  ['tile/0/x035/x184/x372/x088/831.p/255', { level: 0, n: 2 ** 45 - 1, width: 255 }],
] as const

test('TR11: each tile has one path, and back', () => {
  for (const [path, tile] of PATHS) {
    assert.equal(tilePath(tile.level, tile.n, tile.width), path)
    assert.deepEqual(parseTilePath(path), tile)
  }
})

test('TR11: every other spelling is refused', () => {
  const wrong = [
    '',
    'tile',
    '/tile/0/000',
    'tile/0/000/',
    'tile/00/000',
    'tile/-1/000',
    'tile/7/000',
    'tile/64/000',
    'tile/Entries/000',
    'tile/0/0',
    'tile/0/1000',
    'tile/0/x000/000',
    'tile/0/001/234',
    'tile/0/x001/x234',
    'tile/0/X001/234',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000\n',
    'tile/0/../000',
    'tile/6/000.p/32',
    'tile/0/x035/x184/x372/x088/831',
    'tile/0/x999/x999/x999/x999/x999/999',
    `tile/0/${'x001/'.repeat(1000)}000`,
  ]
  for (const path of wrong) {
    assert.throws(() => parseTilePath(path), { code: 'EXPORT_INVALID' }, JSON.stringify(path))
  }
})

test('TR11: a tile that no tree can have has no path', () => {
  for (const [level, n, width] of [
    [0, 0, 0],
    [0, 0, 257],
    [0, -1, 1],
    [0, 0.5, 1],
    [7, 0, 1],
    [6, 1, 1],
  ] as const) {
    assert.throws(() => tilePath(level, n, width), { name: 'AssertionFailure' })
  }
})
