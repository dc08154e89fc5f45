import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BranchFixture, createManifestOp } from '../testing/branch-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { runStoreContract } from '../testing/store-contract.ts'
import { StoreDriver } from '../testing/store-driver.ts'
import { MemoryMedium, MemoryStore } from './memory-store.ts'

runStoreContract(
  'memory',
  () => {
    const medium = new MemoryMedium()
    return {
      open: () => new MemoryStore(medium),
      limitBytes: (bytesMore) => {
        medium.bytesMax = medium.usedBytes + (bytesMore ?? Number.POSITIVE_INFINITY)
      },
    }
  },
  test,
)

test('ST12: the memory engine notices a writer that hands in a wrong tile', () => {
  const driver = new StoreDriver(new MemoryStore())
  const prng = new Prng(1)
  const manifest = createManifestOp(prng)
  const append = new BranchFixture(prng, manifest.name).append(256)
  const [tile] = append.tiles
  assert.ok(tile)
  tile.bytes[0]! ^= 1
  driver.submit(manifest, append)
  driver.flush()
  assert.throws(() => driver.finishSync(), { name: 'AssertionFailure' })
})
