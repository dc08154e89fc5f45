import { test } from 'node:test'
import { Prng } from '../../testing/prng.ts'
import { SimDisk } from '../../testing/sim-disk.ts'
import { SimIndex } from '../../testing/sim-index.ts'
import { SimRuntime } from '../../testing/sim-runtime.ts'
import type { StoreHarness } from '../../testing/store-contract/harness.ts'
import { runStoreContract } from '../../testing/store-contract.ts'
import { openDiskStore } from './disk-store.ts'
import type { DiskStoreLimits } from './limits.ts'

function createHarness(limits: Partial<DiskStoreLimits>): StoreHarness {
  const prng = new Prng(1)
  const disk = new SimDisk(prng)
  const index = new SimIndex(prng)
  const runtime = new SimRuntime(prng)
  return {
    open: () => openDiskStore({ disk, index: index.open(), runtime, mode: 'write', limits }),
    limitBytes: (bytesMore) => {
      disk.bytesMax =
        bytesMore === undefined ? Number.POSITIVE_INFINITY : disk.usedBytes() + bytesMore
    },
  }
}

runStoreContract('disk', () => createHarness({}), test)
