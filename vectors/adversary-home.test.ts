/**
 * The adversary against a whole home: bytes of its journal are changed behind its back, with the
 * index as it was and without it. Whatever the client then shows is what was appended, or it is
 * refused; and nothing is signed for a history that is shorter than the one signed before.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isLongshoreError } from '@longshore/capsule'
import type { Capsule, Home } from '@longshore/client/node'
import { hexOf } from './read-vectors.ts'
import { TemporaryPlace } from './temporary-home.ts'

const PAYLOADS = ['zero', 'one', 'two', 'three']
const ERASED = 1

/** The value, or the code of the error that refused it. Other errors are crashes. */
async function attempt<TValue>(run: () => Promise<TValue>): Promise<TValue | string> {
  try {
    return await run()
  } catch (error) {
    if (isLongshoreError(error)) return error.code
    throw error
  }
}

async function checkEntries(capsule: Capsule, found: string[]): Promise<void> {
  for (const [index, payload] of PAYLOADS.entries()) {
    const entry = await attempt(() => capsule.get(index))
    if (typeof entry === 'string') continue
    const isErased = index === ERASED && entry.state === 'erased'
    if (entry.index !== index || !(isErased || entry.text() === payload)) {
      found.push(`entry ${index} is ${entry.state} ${entry.payload && hexOf(entry.payload)}`)
    }
  }
}

/** What is wrong with a home that was tampered with: lies, and signatures that go back. */
async function inspect(home: Home, name: string, size: number): Promise<string[]> {
  const found: string[] = []
  const capsule = await attempt(() => home.open(name))
  if (typeof capsule === 'string') return found
  await checkEntries(capsule, found)
  const ack = await attempt(() => capsule.append('after'))
  if (typeof ack !== 'string' && ack.index < size) found.push(`appended at ${ack.index}`)
  await capsule.close()
  return found
}

for (const isIndexKept of [true, false]) {
  test(`a home ${isIndexKept ? 'with' : 'without'} its index never shows what was not appended`, async () => {
    using place = new TemporaryPlace()
    let [name, size] = ['', 0]
    {
      await using home = await place.open()
      await using capsule = await home.create()
      for (const payload of PAYLOADS) await capsule.append(payload, { timeUs: 1000 })
      await capsule.erase([ERASED], 'wish')
      ;({ text: name, size } = capsule)
    }
    const [segment = ''] = readdirSync(place.file('home/store/segments'))
    const { length } = readFileSync(place.file(join('home/store/segments', segment)))
    const findings: string[] = []
    let tried = 0
    for (let position = 3; position < length; position += 113) {
      place.copy('home', 'changed')
      place.copy('state', 'changed-state')
      place.useState('changed-state')
      if (!isIndexKept) rmSync(place.file('changed/index'), { recursive: true })
      const file = place.file(join('changed/store/segments', segment))
      const bytes = readFileSync(file)
      bytes[position]! ^= 1 << (position % 8)
      writeFileSync(file, bytes)
      {
        const home = await attempt(() => place.open('changed'))
        if (typeof home !== 'string') {
          const found = await inspect(home, name, size)
          findings.push(...found.map((what) => `byte ${position}: ${what}`))
          await home.close()
        }
      }
      for (const folder of ['changed', 'changed-state']) {
        rmSync(place.file(folder), { recursive: true })
      }
      tried += 1
    }
    console.log(`home ${isIndexKept ? 'with' : 'without'} its index: ${tried} bytes changed`)
    assert.deepEqual(findings, [])
    assert.ok(tried > 20)
  })
}
