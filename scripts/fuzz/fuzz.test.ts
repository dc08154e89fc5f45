/** Every fuzz target for a moment, with a fixed seed; and the fuzzer itself, on planted defects. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Prng } from '@longshore/engine/testing'
import { canaries } from './canary.ts'
import { fuzz } from './fuzz-target.ts'
import { mutate } from './mutate.ts'
import { targets } from './targets.ts'

const SEED = 1
const ITERATIONS = 1_500
const SLOW_ITERATIONS = 250
const CANARY_ITERATIONS = 20_000

for (const canary of canaries) {
  test(`${canary.name} is found`, () => {
    const { finding } = fuzz(canary, { seed: SEED, iterations: CANARY_ITERATIONS })
    assert.ok(finding !== undefined)
    const again = fuzz(canary, { seed: SEED, iterations: finding.iteration + 1 })
    assert.equal(again.finding?.input, finding.input)
  })
}

for (const target of targets) {
  test(`fuzz ${target.name}`, () => {
    const iterations = target.isSlow ? SLOW_ITERATIONS : ITERATIONS
    const { finding, accepted } = fuzz(target, { seed: SEED, iterations })
    assert.ok(finding === undefined, `${finding?.problem} for input ${finding?.iteration}`)
    assert.ok(accepted >= target.samples().length)
  })
}

test('names of fuzz targets differ', () => {
  const names = targets.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
})

test('a mutant is a new array, and most of them differ from what they come from', () => {
  const prng = new Prng(SEED)
  const sample = Uint8Array.from({ length: 50 }, (_, at) => at)
  const before = sample.slice()
  let different = 0
  for (let i = 0; i < 1000; i++) {
    const mutant = mutate(sample, prng, [sample])
    assert.notEqual(mutant, sample)
    if (Buffer.compare(mutant, sample) !== 0) different++
  }
  assert.deepEqual(sample, before)
  assert.ok(different > 900)
})
