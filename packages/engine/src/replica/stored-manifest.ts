/**
 * The manifest of a capsule as it lies in the store. One that is lost in damage counts as none: a
 * rotten capsule must not keep the others of a node from being served.
 *
 * @module
 */
import { type CapsuleName, isLongshoreError } from '@longshore/capsule'
import type { StoreReader } from '../store/store.ts'

export function storedManifest(store: StoreReader, name: CapsuleName): Uint8Array | undefined {
  try {
    return store.manifest(name)
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'STORE_CORRUPT') return undefined
    throw error
  }
}
