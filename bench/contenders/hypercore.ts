/**
 * Hypercore, the rival that keeps signed logs.
 *
 * It does not sync before it acknowledges, so its rates are printed as not durable.
 *
 * @module
 */
import { loadRival } from './rivals.ts'

/** As far as the benchmark uses it. */
export interface Hypercore {
  readonly length: number
  readonly key: Uint8Array
  ready(): Promise<void>
  append(blocks: Uint8Array | Uint8Array[]): Promise<unknown>
  get(index: number): Promise<Uint8Array>
  download(range: { readonly start: number; readonly end: number }): { done(): Promise<void> }
  proof(options: object): Promise<unknown>
  replicate(isInitiator: boolean): NodeJS.ReadWriteStream
  close(): Promise<void>
}

interface HypercoreModule {
  new (storage: string, key?: Uint8Array, options?: object): Hypercore
}

let loaded: { Hypercore: HypercoreModule; name: string } | undefined

function load(): { Hypercore: HypercoreModule; name: string } {
  if (loaded !== undefined) return loaded
  const { module, version } = loadRival<HypercoreModule>('hypercore')
  loaded = { Hypercore: module, name: `hypercore ${version}` }
  return loaded
}

/** With its version, as it is printed. */
export function hypercoreName(): string {
  return load().name
}

export async function openHypercore(storage: string, key?: Uint8Array): Promise<Hypercore> {
  const { Hypercore } = load()
  const core = key === undefined ? new Hypercore(storage) : new Hypercore(storage, key)
  await core.ready()
  return core
}
