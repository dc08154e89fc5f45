import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '@longshore/engine'
import { keep, readKept } from './kept-notes.ts'

/** A store whose notes a test may take away one by one. */
function createNotes() {
  const notes = new Map<string, Uint8Array>()
  const reader = Object.assign(new MemoryStore(), { note: (key: string) => notes.get(key) })
  const remember = async (key: string, value: Uint8Array): Promise<void> => {
    notes.set(key, value)
  }
  return { notes, reader, remember }
}

test('NW2: values of any length are kept in notes of 4096 bytes, and forgotten', async () => {
  const { notes, reader, remember } = createNotes()
  for (const length of [0, 1, 4084, 4085, 8180, 8181, 100_000]) {
    const value = Uint8Array.from({ length }, (_, i) => i % 251)
    await keep(remember, 'net/x', value)
    assert.deepEqual(readKept(reader, 'net/x'), value, `${length} bytes`)
    for (const note of notes.values()) assert.ok(note.length <= 4096)
  }
  await keep(remember, 'net/x', undefined)
  assert.equal(readKept(reader, 'net/x'), undefined)
  await assert.rejects(keep(remember, 'net/x', new Uint8Array(1_048_577)), { code: 'USAGE' })
})

test('NW2: a value in pieces of two versions is not there', async () => {
  const { notes, reader, remember } = createNotes()
  await keep(remember, 'net/x', new Uint8Array(10_000).fill(1))
  const before = new Map(notes)
  await keep(remember, 'net/x', new Uint8Array(10_000).fill(2))
  for (const key of ['net/x/0', 'net/x/1', 'net/x/2']) {
    const after = notes.get(key) as Uint8Array
    notes.set(key, before.get(key) as Uint8Array)
    assert.equal(readKept(reader, 'net/x'), undefined, key)
    notes.delete(key)
    assert.equal(readKept(reader, 'net/x'), undefined, key)
    notes.set(key, after)
  }
  assert.deepEqual(readKept(reader, 'net/x'), new Uint8Array(10_000).fill(2))
})
