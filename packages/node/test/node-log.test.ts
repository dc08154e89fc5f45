import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { EVENTS } from '../src/events.ts'
import { createNodeLog, type NodeLogOptions } from '../src/node-log.ts'

function lines(options: Partial<NodeLogOptions>): string[] {
  const written: string[] = []
  const log = createNodeLog({
    ...{ format: 'text', level: 'info', nowMs: () => 0 },
    ...options,
    write: (line) => written.push(line),
  })
  log('info', 'node.link-up', { peer: 'x', reason: 'a\n\u001b[2J\u202e "b"', count: 3 })
  log('debug', 'node.advertised')
  return written
}

test('ND12: a line is JSON or words, of the levels that were asked for, and safe on a terminal', () => {
  const time = '1970-01-01T00:00:00.000Z'
  assert.deepEqual(lines({}), [
    `${time} info  node.link-up peer=x reason="a\\n\\u001b[2J\\u{202e} \\"b\\"" count=3`,
  ])
  assert.equal(lines({ level: 'debug' }).length, 2)
  assert.deepEqual(lines({ level: 'error' }), [])
  const [line = ''] = lines({ format: 'json' })
  const expected = { time, level: 'info', event: 'node.link-up', peer: 'x' }
  const parsed = JSON.parse(line)
  assert.deepEqual(
    { ...parsed, reason: undefined, count: undefined },
    {
      ...expected,
      ...{ reason: undefined, count: undefined },
    },
  )
})

test('ND12: every event that the code logs is in the table, and the other way round', () => {
  const packages = resolve(import.meta.dirname, '../..')
  const logged = new Set<string>()
  for (const room of ['engine', 'client', 'node']) {
    const source = join(packages, room, 'src')
    for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('testing')) continue
      const text = readFileSync(join(source, file), 'utf8')
      for (const [, event = ''] of text.matchAll(/\blog\(\s*[\w']+,\s*['`]([\w.-]+)['`]/g)) {
        logged.add(event)
      }
    }
  }
  assert.deepEqual([...logged].sort(), Object.keys(EVENTS).sort())
})
